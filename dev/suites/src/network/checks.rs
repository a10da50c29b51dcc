//! Checks of calls through real networks: speech quality, and whether the call goes on.

use super::figures::{Figures, Row};
use super::scenario::Scenario;
use harness::rehearsal::Check;
use sim_network::Profile;

/// How much lower than libopus alone clean speech through the product may score, MOS-LQO.
const LOST_IN_THE_PRODUCT: f64 = 0.1;

/// The share of its score without loss that speech keeps at 5 % random loss, encoded in the same way.
const LEFT_AT_5_PERCENT: f64 = 0.9;

pub(super) fn all(figures: &Figures) -> Vec<Check> {
    of_scores(figures).into_iter().chain(figures.rows.iter().map(goes_on)).collect()
}

pub(super) fn of_scores(figures: &Figures) -> Vec<Check> {
    let score = |network, of: fn(&Row) -> Option<f64>| {
        figures.of(Scenario::Converses { network }).and_then(of).unwrap_or_default()
    };
    let (up, down) = (|network| score(network, |row| row.up), |network| score(network, |row| row.down));
    vec![
        least(
            "clean speech of the caller is as good as libopus alone",
            up(Profile::Clean),
            figures.baseline_up - LOST_IN_THE_PRODUCT,
        ),
        least(
            "clean speech of the agent is as good as libopus alone",
            down(Profile::Clean),
            figures.baseline_down - LOST_IN_THE_PRODUCT,
        ),
        least(
            "at 5 % random loss the caller's speech keeps nine tenths of its score",
            up(Profile::Random5),
            figures.baseline_up * LEFT_AT_5_PERCENT,
        ),
        least(
            "at 5 % random loss the agent's speech keeps nine tenths of what it has with error correction",
            down(Profile::Random5),
            figures.baseline_corrected * LEFT_AT_5_PERCENT,
        ),
    ]
}

fn least(what: &str, score: f64, limit: f64) -> Check {
    let wrong = (score < limit).then(|| format!("{score:.2}, and not {limit:.2}"));
    Check { what: what.to_owned(), wrong }
}

fn goes_on(row: &Row) -> Check {
    let wrong = match &row.cut_short {
        Some(why) => Some(why.clone()),
        None if row.is_answered => None,
        None => Some("the last question was not answered".to_owned()),
    };
    Check { what: format!("{}: the call goes on, and the next turn is answered", row.scenario), wrong }
}
