//! The names of injected faults, as `FAULT=` and `--fault` take them (`MISCHIEF=` and `--mischief` before).

use crate::held::{hold_texts, lines};

#[test]
fn names_of_injected_faults_stay() {
    let phones = sim_meta::InjectedFault::ALL.iter().map(|word| ("phone", word.to_string()));
    let models = sim_openai::InjectedFault::all();
    let models = models.iter().map(|word| ("model", word.to_string()));
    let business = sim_business::Fault::all().map(|word| ("business", word.to_string()));
    hold_texts(
        "injected-faults.tsv",
        phones.chain(models).chain(business).map(|(who, word)| (format!("{who}.{word}"), word)),
    );
    for (name, word) in lines("injected-faults.tsv") {
        match name.split_once('.') {
            Some(("phone", _)) => {
                assert_eq!(word.parse::<sim_meta::InjectedFault>().unwrap().to_string(), word)
            }
            Some(("business", _)) => {
                assert_eq!(word.parse::<sim_business::Fault>().unwrap().to_string(), word)
            }
            _ => assert_eq!(word.parse::<sim_openai::InjectedFault>().unwrap().to_string(), word),
        }
    }
}
