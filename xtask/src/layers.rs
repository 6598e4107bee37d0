//! The import rules of `docs/ARCHITECTURE.md`, checked against `cargo metadata`.

use serde_json::Value;

/// Which of our crates each of our crates may import. A crate that is missing here may import nothing of ours.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("sfa-audio", &[]),
    ("sfa-core", &["sfa-audio"]),
    ("sfa-server", &["sfa-core"]),
    ("sfa-benches", &["sfa-audio", "sfa-core", "sfa-server"]),
    ("xtask", &["sfa-audio", "sfa-core", "sfa-server"]),
];

/// Heavy dependencies and the crates that own them. One owner, so that replacing one touches one folder.
const OWNERS: &[(&str, &[&str])] = &[
    ("candle", &["sfa-audio"]),
    ("ebur128", &["sfa-audio"]),
    ("flac-codec", &["sfa-audio"]),
    ("lofty", &["sfa-audio"]),
    ("realfft", &["sfa-audio"]),
    ("rubato", &["sfa-audio"]),
    ("rustfft", &["sfa-audio"]),
    ("symphonia", &["sfa-audio"]),
    ("tiny-skia", &["sfa-core"]),
    ("tokio", &["sfa-llm", "sfa-control", "sfa-core", "sfa-server"]),
    ("reqwest", &["sfa-llm", "sfa-core"]),
    ("rustls", &["sfa-llm", "sfa-core"]),
    ("ring", &["sfa-core"]),
    ("sqlx", &["sfa-core"]),
    ("object_store", &["sfa-core"]),
    ("quick-xml", &["sfa-core"]),
    ("pulp", &["sfa-audio"]),
    ("safetensors", &["sfa-audio"]),
    ("zip", &["sfa-audio", "sfa-core"]),
    ("argon2", &["sfa-core"]),
    ("axum", &["sfa-server"]),
    ("hyper", &["sfa-server"]),
    ("lettre", &["sfa-server"]),
    ("utoipa", &["sfa-server"]),
    ("clap", &["sfa-server"]),
    ("indicatif", &["sfa-server"]),
];

/// Crates that may use anything: they are never published and never imported.
const UNBOUND: &[&str] = &["sfa-benches", "xtask"];

/// Every broken rule as a sentence.
pub(crate) fn violations(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let imported = dependency["name"].as_str().unwrap_or_default();
            let only_for_tests = dependency["kind"] == "dev";
            if ours.contains(&imported) {
                let allowed = MAY_IMPORT.iter().find(|(importer, _)| *importer == name);
                if !allowed.is_some_and(|(_, allowed)| allowed.contains(&imported)) {
                    found.push(format!("{name} must not import {imported}"));
                }
            } else if !only_for_tests && !UNBOUND.contains(&name) {
                let owners = OWNERS.iter().find(|(owned, _)| {
                    imported == *owned
                        || imported.strip_prefix(owned).is_some_and(|rest| rest.starts_with('-'))
                });
                if let Some((_, owners)) = owners.filter(|(_, owners)| !owners.contains(&name)) {
                    found.push(format!(
                        "{name} must not depend on {imported}: its home is {}",
                        owners.join(", ")
                    ));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "name": name, "dependencies": dependencies })
    }

    fn check(packages: &[Value], expected: &[&str]) {
        assert_eq!(violations(&json!({ "packages": packages })), expected);
    }

    #[test]
    fn a_leaf_must_not_import_the_core() {
        check(
            &[package("sfa-audio", &[("sfa-core", None)]), package("sfa-core", &[])],
            &["sfa-audio must not import sfa-core"],
        );
    }

    #[test]
    fn a_heavy_dependency_has_one_home() {
        check(
            &[package("sfa-server", &[("symphonia", None)])],
            &["sfa-server must not depend on symphonia: its home is sfa-audio"],
        );
        check(
            &[package("sfa-core", &[("candle-core", None)])],
            &["sfa-core must not depend on candle-core: its home is sfa-audio"],
        );
    }

    #[test]
    fn tests_may_use_any_foreign_crate() {
        check(&[package("sfa-server", &[("symphonia", Some("dev"))])], &[]);
    }

    #[test]
    fn this_workspace_keeps_the_rules() {
        let metadata = std::process::Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
            .current_dir(crate::shell::root())
            .output()
            .expect("cargo metadata runs");
        let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("cargo metadata prints JSON");
        assert_eq!(violations(&metadata), Vec::<String>::new());
    }
}
