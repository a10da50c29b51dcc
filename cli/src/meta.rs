//! What Meta has on file about the business of a deployment: gathered, and changed.

mod change;

pub use change::{Change, Field, Told};

use crate::fetched::{FetchError, Fetched};
use crate::site::{Keys, Site};
use secrecy::SecretString;
use whatsapp::business::{Account, Calling, Number, SubscribedApp, Subscription, Token};
use whatsapp::{App, Graph};

/// The permission for whatever is about accounts and numbers.
pub const MANAGEMENT: &str = "whatsapp_business_management";

/// The permission for calls and messages.
pub const MESSAGING: &str = "whatsapp_business_messaging";

/// What was seen at Meta.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Where Graph is.
    pub graph_url: String,
    /// Where our webhook is, if anybody says.
    pub webhook_url: Option<String>,
    /// Our number's id.
    pub number_id: Fetched<String>,
    /// Our token.
    pub token: Fetched<Token>,
    /// What the token's app is subscribed to.
    pub subscription: Fetched<Option<Subscription>>,
    /// The number's account.
    pub account_id: Fetched<String>,
    /// That account.
    pub account: Fetched<Account>,
    /// Who is told of it.
    pub apps: Fetched<Vec<SubscribedApp>>,
    /// The number.
    pub number: Fetched<Number>,
    /// How it takes calls.
    pub calling: Fetched<Calling>,
}

/// Meta, for one deployment.
#[derive(Debug, Clone)]
pub struct MetaClient {
    graph: Fetched<Graph>,
    app_secret: Fetched<SecretString>,
    verify_token: Fetched<SecretString>,
    graph_url: String,
    webhook_url: Option<String>,
    account: Option<String>,
    number: Fetched<String>,
}

impl MetaClient {
    /// Meta, as the site and its keys say, for one number.
    pub fn new(site: &Site, keys: &Keys, number: Fetched<String>) -> Self {
        let graph = keys.access_token.clone().and_then(|token| {
            Graph::new(&site.graph_url, token)
                .map_err(|error| FetchError::because(format!("no TLS here: {error}")))
        });
        Self {
            graph,
            app_secret: keys.app_secret.clone(),
            verify_token: keys.verify_token.clone(),
            graph_url: site.graph_url.clone(),
            webhook_url: site.webhook_url.clone(),
            account: site.account.clone(),
            number,
        }
    }

    /// Looks at everything. One thing that cannot be seen keeps no other from being seen.
    pub async fn look(&self) -> Facts {
        let token = self.token().await;
        let (subscription, account_id, number, calling) = tokio::join!(
            self.subscription(&token),
            self.account_id(&token),
            self.of_number(async |graph: Graph, id| graph.number(&id).await),
            self.of_number(async |graph: Graph, id| graph.calling(&id).await),
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

    /// Makes a change.
    ///
    /// # Errors
    /// What Meta says, or which key is missing.
    pub async fn make(&self, change: &Change, facts: &Facts) -> Fetched<()> {
        let graph = self.graph.clone()?;
        match change {
            Change::App { url, fields, .. } => {
                let app = self.app(&facts.token)?;
                let verify_token = self.verify_token.clone()?;
                graph.subscribe_app(&app, url, &verify_token, fields).await?;
            }
            Change::Account { .. } => graph.subscribe_account(&facts.account_id.clone()?).await?,
            Change::Override { .. } => graph.forget_override(&self.number.clone()?).await?,
            Change::Calling { field, after, .. } => {
                let settings = serde_json::json!({ field.key(): after });
                graph.set_calling(&self.number.clone()?, &settings).await?;
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

    /// The account that somebody named, else the one of the token's that has the number.
    async fn account_id(&self, token: &Fetched<Token>) -> Fetched<String> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let (graph, number, token) = (self.graph.clone()?, self.number.clone()?, token.clone()?);
        let accounts = token.accounts(MANAGEMENT);
        if accounts.is_empty() {
            return Err(FetchError::because(
                "the token does not say for which accounts it is: name one with --account",
            ));
        }
        for account in accounts {
            if graph.numbers_of(account).await.is_ok_and(|numbers| numbers.contains(&number)) {
                return Ok(account.to_owned());
            }
        }
        Err(FetchError::missing("the token is for no account that has this number"))
    }

    async fn of_number<T>(
        &self,
        ask: impl AsyncFnOnce(Graph, String) -> Result<T, whatsapp::GraphError>,
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
    /// The app of the token among those that are told of the account.
    pub fn our_app(&self) -> Option<&SubscribedApp> {
        let ours = &self.token.as_ref().ok()?.app_id;
        self.apps.as_ref().ok()?.iter().find(|app| app.id == *ours)
    }

    /// The others that are told of it.
    pub fn other_apps(&self) -> Vec<&SubscribedApp> {
        let ours = self.token.as_ref().map(|token| token.app_id.as_str()).unwrap_or_default();
        self.apps.iter().flatten().filter(|app| app.id != ours).collect()
    }
}

/// Whether two addresses are the same one, but for a slash at the end.
pub fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}
