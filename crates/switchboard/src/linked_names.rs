//! Links the names that one person has at Meta, by their marks: the table has no name in it.

use crate::Switchboard;
use internal_api::keys;
use store::items::Item;

/// How long a link is kept: a year.
const KEPT_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

impl Switchboard {
    /// Links every name in a notice that the webhook has written down, if one of them has called before, and drops the notice:
    /// it has the names in clear.
    pub(crate) async fn link_names(&self, number: &str, notice: &str) -> anyhow::Result<()> {
        let key = (keys::number(number), notice.to_owned());
        let Some(notice) = self.ledger.item(&key.0, &key.1).await? else { return Ok(()) };
        let mut marks: Vec<_> = names(&notice).iter().flat_map(|name| self.knocker.marks_of(name)).collect();
        marks.sort();
        marks.dedup();
        if self.ledger.is_any_known(&marks).await? {
            self.ledger.link_pseudonyms(&marks, self.now().0 + KEPT_MS).await?;
        }
        self.ledger.drop_notice(&key.0, &key.1).await
    }
}

/// All names in a notice: its caller's, and those it says are theirs as well.
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
    fn a_notice_names_its_caller_and_their_other_names() {
        let notice = to_item(&json!({
            "caller": { "number": "919900000001" },
            "what": { "user_changed": { "names": ["IN.99990000000000000001"] } },
        }));

        assert_eq!(names(&notice), ["919900000001", "IN.99990000000000000001"]);
        assert_eq!(names(&Item::new()), [""; 0]);
    }
}
