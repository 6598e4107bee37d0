//! Secrets that have to be read again.

use sfa_core::library::{Actor, AuditQuery, LibraryErrorKind};

use crate::{Desk, cases, kind_of};

cases![
    a_secret_is_its_users_and_is_replaced,
    who_puts_and_removes_is_logged,
    old_keys_are_found_and_replaced,
];

async fn put(desk: &Desk, name: &str, key_id: &str, sealed: &str) {
    let actor = Actor::at_the_machine(desk.ann.user);
    desk.database.put_sealed(&actor, desk.ann, name, key_id, sealed).await.unwrap();
}

async fn a_secret_is_its_users_and_is_replaced(desk: Desk) {
    put(&desk, "openai", "k1", "first").await;
    put(&desk, "openai", "k2", "second").await;
    put(&desk, "lalal", "k1", "other").await;
    let kept = desk.database.sealed(desk.ann).await.unwrap();
    let kept: Vec<_> = kept
        .iter()
        .map(|secret| (secret.name.as_str(), secret.key_id.as_str(), secret.sealed.as_str()))
        .collect();
    assert_eq!(kept, [("lalal", "k1", "other"), ("openai", "k2", "second")]);
    assert!(desk.database.sealed(desk.ben).await.unwrap().is_empty());
    let actor = Actor::at_the_machine(desk.ben.user);
    let his = desk.database.remove_sealed(&actor, desk.ben, "openai").await;
    assert_eq!(kind_of(his), Some(LibraryErrorKind::NotFound));
    let nameless = desk.database.put_sealed(&actor, desk.ben, "", "k1", "x").await;
    assert_eq!(kind_of(nameless), Some(LibraryErrorKind::Invalid));
}

async fn who_puts_and_removes_is_logged(desk: Desk) {
    put(&desk, "openai", "k1", "sealed-text").await;
    let actor = Actor::at_the_machine(desk.ann.user);
    desk.database.remove_sealed(&actor, desk.ann, "openai").await.unwrap();
    // The log of a server that other cases used before is not emptied.
    let query = AuditQuery { actor: Some(desk.ann.user), ..AuditQuery::default() };
    let log = desk.database.audit_log(&query).await.unwrap();
    let actions: Vec<_> = log.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["vault.remove", "vault.put"]);
    assert!(!format!("{log:?}").contains("sealed-text"));
}

async fn old_keys_are_found_and_replaced(desk: Desk) {
    put(&desk, "openai", "old", "sealed").await;
    put(&desk, "lalal", "new", "sealed").await;
    let found = desk.database.sealed_otherwise("new").await.unwrap();
    assert_eq!(found.iter().map(|secret| secret.name.as_str()).collect::<Vec<_>>(), ["openai"]);
    // Its user gave another one meanwhile: that stays.
    put(&desk, "openai", "old", "changed").await;
    desk.database.reseal(&found[0], "new", "sealed anew").await.unwrap();
    let found = desk.database.sealed_otherwise("new").await.unwrap();
    assert_eq!(found[0].sealed, "changed");
    desk.database.reseal(&found[0], "new", "changed anew").await.unwrap();
    assert!(desk.database.sealed_otherwise("new").await.unwrap().is_empty());
}
