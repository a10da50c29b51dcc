//! Reads the product's sources: which settings a program reads, which requests to AWS it makes. Tests in them do not count.
//!
//! The crate `store` holds every request to the table, and each program is built with all of it. So of `store` those functions count that
//! are called in crates which import it, or that these call: by name, which finds too many rather than too few.

use local::root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::Visit;
use syn::{Attribute, Expr, ExprCall, ExprLit, ExprMethodCall, ImplItemFn, ItemFn, ItemMod, Lit};
use walkdir::WalkDir;

/// How `service::env::Env` is asked for a setting.
const ASKED_BY: [&str; 8] =
    ["required", "optional", "secret", "parsed", "parsed_if_set", "file", "beginning_with", "list"];

/// What was found in some sources.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Settings, and whether one of those who read it cannot do without.
    pub settings: BTreeMap<String, bool>,
    /// Methods that are called without an argument, as requests to AWS begin: `get_item`.
    pub begun: BTreeSet<String>,
    /// What is called: functions by name, methods by `.name`.
    called: BTreeSet<String>,
}

/// The functions of a crate by name, its methods by `.name`; those of one name as one.
#[derive(Debug, Default)]
struct Functions(BTreeMap<String, Found>);

/// What the sources of a folder say, and those of the workspace's crates that it is built with.
pub(crate) fn of_program(folder: &str) -> Found {
    let (mut found, mut others, mut store) = (Found::default(), Found::default(), Functions::default());
    for folder in built_with(&root().join(folder), &mut BTreeSet::new()) {
        let sources = folder.join("src");
        if folder.ends_with("crates/store") {
            read_all(&sources, &mut store);
        } else if manifest(&folder).get("dependencies").is_some_and(|needed| needed.get("store").is_some()) {
            read_all(&sources, &mut found);
        } else {
            read_all(&sources, &mut others);
        }
    }
    found.use_functions_of(&store);
    found.begun.extend(others.begun);
    for (name, is_required) in others.settings {
        *found.settings.entry(name).or_default() |= is_required;
    }
    found
}

impl Found {
    /// Adds the requests of those functions that are called, and of those that they call.
    fn use_functions_of(&mut self, store: &Functions) {
        let mut to_follow: Vec<_> = self.called.iter().cloned().collect();
        let mut followed = BTreeSet::new();
        while let Some(name) = to_follow.pop() {
            if let Some(function) = store.0.get(&name).filter(|_| followed.insert(name)) {
                self.begun.extend(function.begun.iter().cloned());
                to_follow.extend(function.called.iter().cloned());
            }
        }
    }
}

/// The folder of a crate, and those of the crates of the workspace that it needs.
fn built_with(folder: &Path, seen: &mut BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    if seen.insert(folder.to_owned()) {
        let manifest = manifest(folder);
        let needed = manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten();
        let ours = manifest_of_workspace();
        for folder in needed.map(|(name, _)| name).filter_map(|name| ours.get(name)?.get("path")?.as_str()) {
            built_with(&root().join(folder), seen);
        }
    }
    seen.clone()
}

fn manifest(folder: &Path) -> toml::Table {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a crate has a manifest");
    text.parse().expect("a manifest is TOML")
}

fn manifest_of_workspace() -> toml::Table {
    manifest(&root())["workspace"]["dependencies"].as_table().expect("dependencies are a table").clone()
}

fn read_all(folder: &Path, found: &mut impl for<'ast> Visit<'ast>) {
    for entry in WalkDir::new(folder) {
        let path = entry.expect("sources can be read").into_path();
        if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
            let text = std::fs::read_to_string(&path).expect("sources are text");
            found.visit_file(&syn::parse_file(&text).expect("sources are Rust"));
        }
    }
}

/// A module of tests in a file of its own.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests")
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if !is_for_tests(&function.attrs) {
            syn::visit::visit_item_fn(self, function);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let Some(name) = path.path.segments.last()
        {
            self.called.insert(name.ident.to_string());
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let method = call.method.to_string();
        self.called.insert(format!(".{method}"));
        match call.args.first() {
            None => _ = self.begun.insert(method),
            Some(Expr::Lit(ExprLit { lit: Lit::Str(name), .. })) if ASKED_BY.contains(&method.as_str()) => {
                let name = name.value();
                if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
                {
                    *self.settings.entry(name).or_default() |= method == "required";
                }
            }
            Some(_) => {}
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.0.entry(function.sig.ident.to_string()).or_default().visit_block(&function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        let dot = if function.sig.receiver().is_some() { "." } else { "" };
        self.0.entry(format!("{dot}{}", function.sig.ident)).or_default().visit_block(&function.block);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

#[test]
fn a_setting_is_found_where_it_is_read_and_not_in_tests() {
    let mut found = Found::default();
    found.visit_file(&syn::parse_quote! {
        fn read(env: &Env) { env.required("TABLE"); env.parsed("AHOY_SLOTS", 50); client.get_item().send(); other.list("no"); }
        #[cfg(test)]
        mod tests { fn read(env: &Env) { env.required("ONLY_IN_A_TEST"); } }
    });

    assert_eq!(found.settings, [("TABLE".to_owned(), true), ("AHOY_SLOTS".to_owned(), false)].into());
    assert!(found.begun.contains("get_item"));
}

#[test]
fn a_request_counts_where_its_function_is_called() {
    let (mut found, mut store) = (Found::default(), Functions::default());
    store.visit_file(&syn::parse_quote! {
        impl Store {
            fn due(&self) { all(self.index()) }
            fn index(&self) { self.client.query() }
            fn forget(&self) { self.client.scan().send() }
        }
        fn all(query: Query) { query.into_paginator() }
    });
    found.visit_file(&syn::parse_quote! { fn tick(store: &Store) { store.due(); } });

    found.use_functions_of(&store);

    assert!(found.begun.contains("query") && found.begun.contains("into_paginator"), "{found:?}");
    assert!(!found.begun.contains("scan"), "nothing calls forget: {found:?}");
}
