//! Fetches and changes a business's settings at Meta: token, app subscription, account, number and calling.

mod change;

pub(crate) use change::{Change, ChangeReport, Field};

use crate::deployment_args::{DeploymentArgs, Keys};
use crate::fetched::{FetchError, Fetched};
use call::NumberId;
use secrecy::SecretString;
use whatsapp::business::{Account, Calling, Number, SubscribedApp, Subscription, Token};
use whatsapp::{App, Graph};

/// The token permission for accounts and numbers.
pub(crate) const MANAGEMENT: &str = "whatsapp_business_management";

/// The token permission for calls and messages.
pub(crate) const MESSAGING: &str = "whatsapp_business_messaging";

/// A business's settings at Meta, each fetched or with the reason why not.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) graph_url: String,
    /// The deployment's webhook, where its address is known.
    pub(crate) webhook_url: Option<String>,
    pub(crate) number_id: Fetched<NumberId>,
    pub(crate) token: Fetched<Token>,
    /// The webhook subscription of the token's app; `None` when the app has none.
    pub(crate) subscription: Fetched<Option<Subscription>>,
    pub(crate) account_id: Fetched<String>,
    pub(crate) account: Fetched<Account>,
    /// The apps that are subscribed to the account.
    pub(crate) apps: Fetched<Vec<SubscribedApp>>,
    pub(crate) number: Fetched<Number>,
    /// The number's calling settings.
    pub(crate) calling: Fetched<Calling>,
}

/// A client of Meta's Graph API for one deployment and number.
#[derive(Debug, Clone)]
pub(crate) struct MetaClient {
    graph: Fetched<Graph>,
    app_secret: Fetched<SecretString>,
    verify_token: Fetched<SecretString>,
    graph_url: String,
    webhook_url: Option<String>,
    account: Option<String>,
    number: Fetched<NumberId>,
}

impl MetaClient {
    /// Returns a client with the deployment's addresses and keys, without a request yet.
    pub(crate) fn new(args: &DeploymentArgs, keys: &Keys, number: Fetched<NumberId>) -> Self {
        let graph = keys.access_token.clone().and_then(|token| {
            Graph::new(&args.graph_url, token)
                .map_err(|error| FetchError::because(format!("TLS client cannot be built: {error}")))
        });
        Self {
            graph,
            app_secret: keys.app_secret.clone(),
            verify_token: keys.verify_token.clone(),
            graph_url: args.graph_url.clone(),
            webhook_url: args.webhook_url.clone(),
            account: args.account.clone(),
            number,
        }
    }

    /// Fetches every setting; one that fails does not keep the others from being fetched.
    pub(crate) async fn fetch(&self) -> Facts {
        let token = self.token().await;
        let (subscription, account_id, number, calling) = tokio::join!(
            self.subscription(&token),
            self.account_id(&token),
            self.of_number(async |graph: Graph, id| graph.number(id.as_str()).await),
            self.of_number(async |graph: Graph, id| graph.calling(id.as_str()).await),
        );
        let (account, apps) = tokio::join!(
            self.of_account(&account_id, async |graph: Graph, id| graph.account(&id).await),
            self.of_account(&account_id, async |graph: Graph, id| graph.subscribed_apps(&id).await),
        );
        Facts {
            graph_url: self.graph_url.clone(),
            webhook_url: self.webhook_url.clone(),
            number_id: self.number.clone(),
            token,
            subscription,
            account_id,
            account,
            apps,
            number,
            calling,
        }
    }

    /// Applies a change at Meta.
    ///
    /// # Errors
    /// Meta's refusal, or the key that is missing.
    pub(crate) async fn apply(&self, change: &Change, facts: &Facts) -> Fetched<()> {
        let graph = self.graph.clone()?;
        match change {
            Change::App { url, fields, .. } => {
                let app = self.app(&facts.token)?;
                let verify_token = self.verify_token.clone()?;
                graph.subscribe_app(&app, url, &verify_token, fields).await?;
            }
            Change::Account { .. } => graph.subscribe_account(&facts.account_id.clone()?).await?,
            Change::Override { .. } => graph.forget_override(self.number.clone()?.as_str()).await?,
            Change::Calling { field, after, .. } => {
                let settings = serde_json::json!({ field.key(): after });
                graph.set_calling(self.number.clone()?.as_str(), &settings).await?;
            }
        }
        Ok(())
    }

    async fn token(&self) -> Fetched<Token> {
        Ok(self.graph.clone()?.token().await?)
    }

    async fn subscription(&self, token: &Fetched<Token>) -> Fetched<Option<Subscription>> {
        Ok(self.graph.clone()?.subscription(&self.app(token)?).await?)
    }

    fn app(&self, token: &Fetched<Token>) -> Fetched<App> {
        Ok(App { id: token.clone()?.app_id, secret: self.app_secret.clone()? })
    }

    /// Returns the account given by `--account`, else the one of the token's accounts that has the number.
    async fn account_id(&self, token: &Fetched<Token>) -> Fetched<String> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let (graph, number, token) = (self.graph.clone()?, self.number.clone()?, token.clone()?);
        let accounts = token.accounts(MANAGEMENT);
        if accounts.is_empty() {
            return Err(FetchError::because("the token lists no accounts: name one with --account"));
        }
        for account in accounts {
            if graph
                .numbers_of(account)
                .await
                .is_ok_and(|numbers| numbers.iter().any(|it| it == number.as_str()))
            {
                return Ok(account.to_owned());
            }
        }
        Err(FetchError::missing("none of the token's accounts has this number"))
    }

    async fn of_number<T>(
        &self,
        ask: impl AsyncFnOnce(Graph, NumberId) -> Result<T, whatsapp::GraphError>,
    ) -> Fetched<T> {
        Ok(ask(self.graph.clone()?, self.number.clone()?).await?)
    }

    async fn of_account<T>(
        &self,
        account: &Fetched<String>,
        ask: impl AsyncFnOnce(Graph, String) -> Result<T, whatsapp::GraphError>,
    ) -> Fetched<T> {
        Ok(ask(self.graph.clone()?, account.clone()?).await?)
    }
}

impl Facts {
    /// Returns the token's app, if it is subscribed to the account.
    pub(crate) fn our_app(&self) -> Option<&SubscribedApp> {
        let ours = &self.token.as_ref().ok()?.app_id;
        self.apps.as_ref().ok()?.iter().find(|app| app.id == *ours)
    }

    /// Returns the other apps that are subscribed to the account.
    pub(crate) fn other_apps(&self) -> Vec<&SubscribedApp> {
        let ours = self.token.as_ref().map(|token| token.app_id.as_str()).unwrap_or_default();
        self.apps.iter().flatten().filter(|app| app.id != ours).collect()
    }
}

/// Whether two URLs are equal, a trailing slash aside.
pub(crate) fn is_same_url(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}
