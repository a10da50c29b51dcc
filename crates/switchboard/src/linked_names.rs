//! Links the names that one person has at Meta (number, user ids) by their pseudonyms, so that the table holds no name for it.

use crate::Switchboard;
use call::NumberId;

/// How long a link is kept: a year, ms.
const KEPT_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

impl Switchboard {
    /// Links the names in a `user_changed` notice if one of them has called before, and deletes the notice, which has the names in clear
    /// text.
    pub(crate) async fn link_names(&self, number: &NumberId, notice: &str) -> anyhow::Result<()> {
        let Some(names) = self.store.names_in_notice(number, notice).await? else { return Ok(()) };
        let mut pseudonyms: Vec<_> =
            names.iter().flat_map(|name| self.control_api.pseudonyms_of(name)).collect();
        pseudonyms.sort();
        pseudonyms.dedup();
        if self.store.is_any_known(&pseudonyms).await? {
            self.store.link_pseudonyms(&pseudonyms, self.now().0 + KEPT_MS).await?;
        }
        Ok(self.store.drop_notice(number, notice).await?)
    }
}
