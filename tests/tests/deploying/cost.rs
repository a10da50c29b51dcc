//! The page of costs is what the script makes of the prices.

use local::root;
use std::process::Command;

#[test]
fn the_cost_page_is_what_the_script_makes_of_the_prices() {
    let made = Command::new("python3").arg(root().join("scripts/cost.py")).output().expect("there is Python");
    let page = std::fs::read_to_string(root().join("docs/cost.md")).expect("there is a page");

    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(String::from_utf8_lossy(&made.stdout), page, "make cost writes it anew");
}
