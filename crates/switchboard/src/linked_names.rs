//! Links the names that one person has at Meta (number, user ids) by their pseudonyms, so that the table holds no name for it.

use crate::Switchboard;
use store::items::Item;
use store::keys;

/// How long a link is kept: a year, ms.
const KEPT_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

impl Switchboard {
    /// Links the names in a `user_changed` notice if one of them has called before, and deletes the notice, which has the names in clear
    /// text.
    pub(crate) async fn link_names(&self, number: &str, notice: &str) -> anyhow::Result<()> {
        let key = (keys::number(number), notice.to_owned());
        let Some(notice) = self.store.item(&key.0, &key.1).await? else { return Ok(()) };
        let mut pseudonyms: Vec<_> =
            names(&notice).iter().flat_map(|name| self.control_api.pseudonyms_of(name)).collect();
        pseudonyms.sort();
        pseudonyms.dedup();
        if self.store.is_any_known(&pseudonyms).await? {
            self.store.link_pseudonyms(&pseudonyms, self.now().0 + KEPT_MS).await?;
        }
        self.store.drop_notice(&key.0, &key.1).await
    }
}

/// Returns the notice's caller's names, and the changed ones.
fn names(notice: &Item) -> Vec<String> {
    let map = |name: &str| notice.get(name).and_then(|value| value.as_m().ok());
    let caller = map("caller").into_iter().flat_map(|caller| caller.values());
    let changed =
        map("what").and_then(|what| what.get("user_changed")?.as_m().ok()?.get("names")?.as_l().ok());
    let names = caller.chain(changed.into_iter().flatten());
    names.filter_map(|name| name.as_s().ok().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use store::items::to_item;

    #[test]
    fn reads_the_callers_names_and_the_changed_ones() {
        let notice = to_item(&json!({
            "caller": { "number": "919900000001" },
            "what": { "user_changed": { "names": ["IN.99990000000000000001"] } },
        }));

        assert_eq!(names(&notice), ["919900000001", "IN.99990000000000000001"]);
        assert_eq!(names(&Item::new()), [""; 0]);
    }
}
