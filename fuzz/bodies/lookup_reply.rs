//! Reads the reply to a lookup, and fills an agent with it: what it says stays on its line and within its fence.

use agents::{Agent, Variables, Words};
use lookup::LookupReply;

const FILE: &str = "name = 'a'\ninstructions = 'You mend bikes.'\ngreeting.say = 'Hello {{first_name|there}}!'\n\
                    tools.allowed_hosts = ['shop.example']\nlookup.url = 'https://shop.example/a'\nlookup.sign_with = 'shop'\n";

pub(crate) fn run(data: &[u8]) {
    let Ok(reply) = LookupReply::read(data) else { return };
    let agent = Agent::read(FILE).expect("the file is one");

    let language = reply.language.as_deref().unwrap_or_default();
    let filled = agent
        .in_language(language)
        .filled_with(&Variables::of_caller(None, None).with_lookup(reply.variables));

    let whole = filled.whole_instructions();
    assert!(whole.len() < 10_000, "{}", whole.len());
    assert_eq!(whole.matches("<caller-data>").count(), whole.matches("</caller-data>").count(), "{whole}");
    assert!(whole.matches('<').count() <= 2, "{whole}");
    assert_eq!(whole.matches("\n# On every call\n").count(), 1, "{whole}");
    match filled.opening() {
        Words::Exact(said) => assert!(said.lines().count() == 1 && !said.contains("{{"), "{said}"),
        Words::Prompt(prompt) => panic!("exact words became {prompt}"),
    }
}
