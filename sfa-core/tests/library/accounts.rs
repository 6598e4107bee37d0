//! Users, sessions, tokens and the log of what was done with special rights.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::{
    Actor, AuditQuery, Identity, LibraryErrorKind, NewSession, NewToken, NewUser, Role, Scope, Secret,
    SessionId, TokenId, TokenPurpose, User, UserEdit, UserId, UserQuery, UserStatus,
};

use crate::{Desk, cases, kind_of};

cases![
    an_account_comes_back_as_it_was_made,
    an_account_may_begin_with_a_password,
    an_address_is_one_accounts_in_any_case,
    what_is_no_address_is_refused,
    accounts_are_listed_by_name_in_pages,
    accounts_are_found_by_letters_role_and_status,
    an_edit_changes_what_it_names,
    a_new_address_has_to_be_confirmed_again,
    the_last_manager_stays,
    another_manager_lets_one_go,
    a_removed_user_takes_all_along,
    a_session_is_opened_by_its_secret_alone,
    a_session_ends_with_its_time,
    a_renewed_session_forgets_its_old_secret,
    sessions_are_listed_and_closed_by_their_user,
    all_sessions_but_one_are_closed,
    a_suspended_user_is_out_at_once,
    a_new_password_ends_sessions_and_waiting_links,
    proving_again_is_noted,
    a_link_by_mail_works_once,
    one_of_many_redeems_a_token,
    a_token_is_for_its_purpose,
    a_token_ends_with_its_time,
    a_new_address_ends_waiting_links,
    a_program_uses_its_token_again_and_again,
    tokens_are_listed_and_revoked_by_their_user,
    special_acts_are_logged_in_order,
    the_log_is_read_by_actor_and_target,
    a_refused_act_is_not_logged,
    ended_sessions_are_pruned,
    a_session_acts_as_another_user_and_ends_as_its_own,
    who_is_no_super_admin_any_more_acts_as_nobody,
    what_is_open_is_asked_for_at_once,
    who_is_known_elsewhere_is_found_by_that_alone,
];

const HOUR: Duration = Duration::from_secs(3600);

fn root(desk: &Desk) -> Actor {
    Actor { user: desk.ann.user, address: Some("192.0.2.1".to_owned()) }
}

async fn add(desk: &Desk, name: &str, role: Role) -> User {
    let user = NewUser {
        id: UserId::random(),
        name: name.to_owned(),
        email: Some(format!("{name}@example.org")),
        role,
        password_hash: None,
    };
    desk.database.add_user(&root(desk), &user).await.unwrap()
}

async fn open(desk: &Desk, user: UserId, lifetime: Duration) -> (SessionId, Secret) {
    let (id, secret) = (SessionId::random(), Secret::random());
    let session = NewSession {
        id,
        user,
        secret: secret.hash(),
        lifetime,
        address: "192.0.2.7".to_owned(),
        agent: "browser".to_owned(),
    };
    let opened = desk.database.open_session(&session).await.unwrap();
    assert_eq!(
        (opened.id, opened.user, opened.address.as_str(), opened.agent.as_str()),
        (id, user, "192.0.2.7", "browser")
    );
    (id, secret)
}

async fn is_open(desk: &Desk, secret: &Secret) -> bool {
    desk.database.session(&secret.hash()).await.unwrap().is_some()
}

async fn give(
    desk: &Desk,
    user: UserId,
    purpose: TokenPurpose,
    lifetime: Option<Duration>,
) -> (TokenId, Secret) {
    let (id, secret) = (TokenId::random(), Secret::random());
    let token = NewToken {
        id,
        user,
        purpose,
        secret: secret.hash(),
        label: "mine".to_owned(),
        scopes: vec!["read".to_owned()],
        sent_to: None,
        lifetime,
    };
    desk.database.add_token(&token).await.unwrap();
    (id, secret)
}

async fn redeemed(desk: &Desk, purpose: TokenPurpose, secret: &Secret) -> bool {
    desk.database.redeem_token(purpose, &secret.hash()).await.unwrap().is_some()
}

async fn edit(desk: &Desk, user: UserId, edit: UserEdit) -> Result<User, LibraryErrorKind> {
    desk.database.edit_user(&root(desk), user, &edit).await.map_err(|error| error.kind())
}

fn suspension() -> UserEdit {
    UserEdit { status: Some(UserStatus::Suspended), ..UserEdit::default() }
}

async fn an_account_comes_back_as_it_was_made(desk: Desk) {
    let made = add(&desk, "zoe", Role::Pro).await;
    let found = desk.database.user(made.id).await.unwrap();
    assert_eq!(found, made);
    assert_eq!((found.name.as_str(), found.email.as_deref()), ("zoe", Some("zoe@example.org")));
    assert_eq!((found.role, found.status, found.confirmed_at_ms), (Role::Pro, UserStatus::Active, None));
    assert_eq!(desk.database.password_hash(made.id).await.unwrap(), None);
    let nobody = UserId::random();
    assert_eq!(kind_of(desk.database.user(nobody).await), Some(LibraryErrorKind::NotFound));
    assert_eq!(kind_of(desk.database.password_hash(nobody).await), Some(LibraryErrorKind::NotFound));
}

async fn an_account_may_begin_with_a_password(desk: Desk) {
    let user = NewUser {
        id: UserId::random(),
        name: "zoe".to_owned(),
        email: None,
        role: Role::User,
        password_hash: Some("$argon2id$…".to_owned()),
    };
    desk.database.add_user(&root(&desk), &user).await.unwrap();
    assert_eq!(desk.database.password_hash(user.id).await.unwrap(), user.password_hash);
    let query = AuditQuery { target: Some(user.id.to_string()), ..AuditQuery::default() };
    let log = format!("{:?}", desk.database.audit_log(&query).await.unwrap());
    assert!(log.contains("user.add") && !log.contains("argon2id"), "{log}");
}

async fn an_address_is_one_accounts_in_any_case(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    let second = NewUser {
        id: UserId::random(),
        name: "other".to_owned(),
        email: Some(" ZOE@Example.org ".to_owned()),
        role: Role::User,
        password_hash: None,
    };
    let error = desk.database.add_user(&root(&desk), &second).await.unwrap_err();
    assert_eq!(error.kind(), LibraryErrorKind::Conflict);
    assert_eq!(error.to_string(), "there is an account with this address already");
    assert_eq!(desk.database.user_with_email("Zoe@EXAMPLE.org").await.unwrap(), Some(zoe));
    assert_eq!(desk.database.user_with_email("nobody@example.org").await.unwrap(), None);
    assert_eq!(desk.database.user_with_email("' or 1=1 --").await.unwrap(), None);
}

async fn what_is_no_address_is_refused(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    for wrong in ["zoe", "a b@example.org", "@", "a@b@c"] {
        let change = UserEdit { email: Some(wrong.to_owned()), ..UserEdit::default() };
        assert_eq!(edit(&desk, zoe.id, change).await, Err(LibraryErrorKind::Invalid), "{wrong}");
    }
}

async fn accounts_are_listed_by_name_in_pages(desk: Desk) {
    for name in ["c1", "c2", "c3"] {
        add(&desk, name, Role::Enterprise).await;
    }
    let mut query = UserQuery { role: Some(Role::Enterprise), limit: 2, ..UserQuery::default() };
    let first = desk.database.users(&query).await.unwrap();
    assert_eq!(first.iter().map(|user| &user.name).collect::<Vec<_>>(), ["c1", "c2"]);
    query.after = Some(first[1].id);
    let second = desk.database.users(&query).await.unwrap();
    assert_eq!(second.iter().map(|user| &user.name).collect::<Vec<_>>(), ["c3"]);
}

async fn accounts_are_found_by_letters_role_and_status(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    add(&desk, "z_", Role::Admin).await;
    edit(&desk, zoe.id, suspension()).await.unwrap();
    let names = async |query: UserQuery| {
        let found = desk.database.users(&query).await.unwrap();
        found.into_iter().map(|user| user.name).collect::<Vec<_>>()
    };
    let search = |letters: &str| UserQuery { search: Some(letters.to_owned()), ..UserQuery::default() };
    assert_eq!(names(search("ZOE@exam")).await, ["zoe"]);
    assert_eq!(names(search("_")).await, ["z_"], "letters are letters");
    let out = UserQuery { status: Some(UserStatus::Suspended), ..UserQuery::default() };
    assert_eq!(names(out).await, ["zoe"]);
}

async fn an_edit_changes_what_it_names(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    let renamed = UserEdit { name: Some("Zoë".to_owned()), is_confirmed: true, ..UserEdit::default() };
    let after = edit(&desk, zoe.id, renamed).await.unwrap();
    assert!(after.confirmed_at_ms.is_some());
    assert_eq!((after.name.as_str(), &after.email, after.role), ("Zoë", &zoe.email, zoe.role));
    let password = UserEdit { password_hash: Some("$argon2id$…".to_owned()), ..UserEdit::default() };
    edit(&desk, zoe.id, password).await.unwrap();
    assert_eq!(desk.database.password_hash(zoe.id).await.unwrap().as_deref(), Some("$argon2id$…"));
    let empty = UserEdit { name: Some(String::new()), ..UserEdit::default() };
    assert_eq!(edit(&desk, zoe.id, empty).await, Err(LibraryErrorKind::Invalid));
    assert_eq!(edit(&desk, UserId::random(), suspension()).await, Err(LibraryErrorKind::NotFound));
}

async fn a_new_address_has_to_be_confirmed_again(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    let confirmed = UserEdit { is_confirmed: true, ..UserEdit::default() };
    assert!(edit(&desk, zoe.id, confirmed).await.unwrap().confirmed_at_ms.is_some());
    let same = UserEdit { email: Some("ZOE@example.org".to_owned()), ..UserEdit::default() };
    assert!(edit(&desk, zoe.id, same).await.unwrap().confirmed_at_ms.is_some(), "it is the same address");
    let moved = UserEdit { email: Some("zoe@example.net".to_owned()), ..UserEdit::default() };
    assert_eq!(edit(&desk, zoe.id, moved).await.unwrap().confirmed_at_ms, None);
}

async fn the_last_manager_stays(desk: Desk) {
    let boss = add(&desk, "boss", Role::Admin).await;
    let demotion = UserEdit { role: Some(Role::Pro), ..UserEdit::default() };
    assert_eq!(edit(&desk, boss.id, demotion).await, Err(LibraryErrorKind::Conflict));
    assert_eq!(edit(&desk, boss.id, suspension()).await, Err(LibraryErrorKind::Conflict));
    let removal = desk.database.remove_user(&root(&desk), boss.id).await;
    assert_eq!(kind_of(removal), Some(LibraryErrorKind::Conflict));
    assert_eq!(desk.database.user(boss.id).await.unwrap(), boss, "nothing has changed");
}

async fn another_manager_lets_one_go(desk: Desk) {
    let boss = add(&desk, "boss", Role::Admin).await;
    add(&desk, "chief", Role::SuperAdmin).await;
    let demotion = UserEdit { role: Some(Role::Pro), ..UserEdit::default() };
    assert_eq!(edit(&desk, boss.id, demotion).await.unwrap().role, Role::Pro);
}

async fn a_removed_user_takes_all_along(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    let track = desk.track(Scope::of(zoe.id), "hers").await;
    let (_, secret) = open(&desk, zoe.id, HOUR).await;
    desk.database.remove_user(&root(&desk), zoe.id).await.unwrap();
    assert_eq!(kind_of(desk.database.user(zoe.id).await), Some(LibraryErrorKind::NotFound));
    assert!(!is_open(&desk, &secret).await);
    let gone = desk.database.track(Scope::of(zoe.id), track).await;
    assert_eq!(kind_of(gone), Some(LibraryErrorKind::NotFound));
    add(&desk, "zoe", Role::User).await;
}

async fn a_session_is_opened_by_its_secret_alone(desk: Desk) {
    let (id, secret) = open(&desk, desk.ann.user, HOUR).await;
    let (session, user) = desk.database.session(&secret.hash()).await.unwrap().unwrap();
    assert_eq!((session.id, session.user, user.id), (id, desk.ann.user, desk.ann.user));
    assert_eq!(session.expires_at_ms - session.created_at_ms, 3_600_000);
    assert!(!is_open(&desk, &Secret::random()).await);
    let stranger = NewSession {
        id: SessionId::random(),
        user: UserId::random(),
        secret: Secret::random().hash(),
        lifetime: HOUR,
        address: String::new(),
        agent: String::new(),
    };
    assert_eq!(kind_of(desk.database.open_session(&stranger).await), Some(LibraryErrorKind::NotFound));
}

async fn a_session_ends_with_its_time(desk: Desk) {
    let (_, secret) = open(&desk, desk.ann.user, Duration::ZERO).await;
    assert!(!is_open(&desk, &secret).await);
    assert!(desk.database.sessions(desk.ann).await.unwrap().is_empty());
    let renewed = desk.database.renew_session(&secret.hash(), &Secret::random().hash(), HOUR).await;
    assert_eq!(kind_of(renewed), Some(LibraryErrorKind::NotFound), "what has ended is not renewed");
}

async fn a_renewed_session_forgets_its_old_secret(desk: Desk) {
    let (id, old) = open(&desk, desk.ann.user, HOUR).await;
    let new = Secret::random();
    let renewed = desk.database.renew_session(&old.hash(), &new.hash(), 2 * HOUR).await.unwrap();
    assert_eq!(renewed.id, id);
    assert_eq!(renewed.expires_at_ms - renewed.renewed_at_ms, 7_200_000);
    assert!(!is_open(&desk, &old).await && is_open(&desk, &new).await);
}

async fn sessions_are_listed_and_closed_by_their_user(desk: Desk) {
    let (first, secret) = open(&desk, desk.ann.user, HOUR).await;
    let (second, _) = open(&desk, desk.ann.user, HOUR).await;
    open(&desk, desk.ben.user, HOUR).await;
    let listed = desk.database.sessions(desk.ann).await.unwrap();
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [second, first]);
    let foreign = desk.database.close_session(desk.ben, first).await;
    assert_eq!(kind_of(foreign), Some(LibraryErrorKind::NotFound));
    assert!(is_open(&desk, &secret).await);
    desk.database.close_session(desk.ann, first).await.unwrap();
    assert!(!is_open(&desk, &secret).await);
}

async fn all_sessions_but_one_are_closed(desk: Desk) {
    let (kept, secret) = open(&desk, desk.ann.user, HOUR).await;
    let (_, other) = open(&desk, desk.ann.user, HOUR).await;
    let (_, foreign) = open(&desk, desk.ben.user, HOUR).await;
    assert_eq!(desk.database.close_other_sessions(desk.ann, Some(kept)).await.unwrap(), 1);
    assert!(is_open(&desk, &secret).await && !is_open(&desk, &other).await);
    assert_eq!(desk.database.close_other_sessions(desk.ann, None).await.unwrap(), 1);
    assert!(!is_open(&desk, &secret).await && is_open(&desk, &foreign).await);
}

async fn a_suspended_user_is_out_at_once(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    let (_, session) = open(&desk, zoe.id, HOUR).await;
    let (_, program) = give(&desk, zoe.id, TokenPurpose::Api, None).await;
    let (_, mail) = give(&desk, zoe.id, TokenPurpose::SignIn, Some(HOUR)).await;
    edit(&desk, zoe.id, suspension()).await.unwrap();
    assert!(!is_open(&desk, &session).await);
    assert_eq!(desk.database.api_token(&program.hash()).await.unwrap(), None);
    assert!(!redeemed(&desk, TokenPurpose::SignIn, &mail).await);
    let back = UserEdit { status: Some(UserStatus::Active), ..UserEdit::default() };
    edit(&desk, zoe.id, back).await.unwrap();
    assert!(!is_open(&desk, &session).await, "sessions do not come back");
    assert!(desk.database.api_token(&program.hash()).await.unwrap().is_some(), "programs do");
}

async fn a_new_password_ends_sessions_and_waiting_links(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    let (_, session) = open(&desk, zoe.id, HOUR).await;
    let (_, mail) = give(&desk, zoe.id, TokenPurpose::SignIn, Some(HOUR)).await;
    let password = UserEdit { password_hash: Some("hash".to_owned()), ..UserEdit::default() };
    edit(&desk, zoe.id, password).await.unwrap();
    assert!(!is_open(&desk, &session).await && !redeemed(&desk, TokenPurpose::SignIn, &mail).await);
}

async fn proving_again_is_noted(desk: Desk) {
    let (id, secret) = open(&desk, desk.ann.user, HOUR).await;
    let authenticated =
        async || desk.database.session(&secret.hash()).await.unwrap().unwrap().0.authenticated_at_ms;
    let before = authenticated().await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    desk.database.confirm_session(desk.ann, id).await.unwrap();
    assert!(authenticated().await > before);
    let foreign = desk.database.confirm_session(desk.ben, id).await;
    assert_eq!(kind_of(foreign), Some(LibraryErrorKind::NotFound));
}

async fn a_link_by_mail_works_once(desk: Desk) {
    let (id, secret) = give(&desk, desk.ann.user, TokenPurpose::SignIn, Some(HOUR)).await;
    let found = desk.database.redeem_token(TokenPurpose::SignIn, &secret.hash()).await.unwrap();
    let (token, user) = found.unwrap();
    assert_eq!((token.id, token.user, user.id), (id, desk.ann.user, desk.ann.user));
    assert!(!redeemed(&desk, TokenPurpose::SignIn, &secret).await);
}

async fn one_of_many_redeems_a_token(desk: Desk) {
    let (_, secret) = give(&desk, desk.ann.user, TokenPurpose::SignIn, Some(HOUR)).await;
    let tries = (0..16).map(|_| redeemed(&desk, TokenPurpose::SignIn, &secret));
    let won = futures_util::future::join_all(tries).await;
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
}

async fn a_token_is_for_its_purpose(desk: Desk) {
    let (_, program) = give(&desk, desk.ann.user, TokenPurpose::Api, None).await;
    let (_, mail) = give(&desk, desk.ann.user, TokenPurpose::ChangeEmail, Some(HOUR)).await;
    for purpose in [TokenPurpose::Api, TokenPurpose::SignIn, TokenPurpose::ChangeEmail] {
        assert!(!redeemed(&desk, purpose, &program).await, "{purpose}");
    }
    assert!(!redeemed(&desk, TokenPurpose::SignIn, &mail).await);
    assert_eq!(desk.database.api_token(&mail.hash()).await.unwrap(), None);
    assert!(redeemed(&desk, TokenPurpose::ChangeEmail, &mail).await);
}

async fn a_token_ends_with_its_time(desk: Desk) {
    let (_, mail) = give(&desk, desk.ann.user, TokenPurpose::SignIn, Some(Duration::ZERO)).await;
    let (_, program) = give(&desk, desk.ann.user, TokenPurpose::Api, Some(Duration::ZERO)).await;
    assert!(!redeemed(&desk, TokenPurpose::SignIn, &mail).await);
    assert_eq!(desk.database.api_token(&program.hash()).await.unwrap(), None);
}

async fn a_new_address_ends_waiting_links(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    let (_, mail) = give(&desk, zoe.id, TokenPurpose::ChangeEmail, Some(HOUR)).await;
    let (_, program) = give(&desk, zoe.id, TokenPurpose::Api, None).await;
    let moved = UserEdit { email: Some("zoe@example.net".to_owned()), ..UserEdit::default() };
    edit(&desk, zoe.id, moved).await.unwrap();
    assert!(!redeemed(&desk, TokenPurpose::ChangeEmail, &mail).await);
    assert!(desk.database.api_token(&program.hash()).await.unwrap().is_some());
}

async fn a_program_uses_its_token_again_and_again(desk: Desk) {
    let (id, secret) = give(&desk, desk.ann.user, TokenPurpose::Api, None).await;
    for _ in 0..3 {
        let (token, user) = desk.database.api_token(&secret.hash()).await.unwrap().unwrap();
        assert_eq!(
            (token.id, user.id, token.scopes.as_slice()),
            (id, desk.ann.user, &["read".to_owned()][..])
        );
        assert!(token.used_at_ms.is_some());
    }
    assert_eq!(desk.database.api_token(&Secret::random().hash()).await.unwrap(), None);
}

async fn tokens_are_listed_and_revoked_by_their_user(desk: Desk) {
    let (id, secret) = give(&desk, desk.ann.user, TokenPurpose::Api, None).await;
    give(&desk, desk.ann.user, TokenPurpose::SignIn, Some(HOUR)).await;
    let listed = desk.database.tokens(desk.ann).await.unwrap();
    assert_eq!(listed.iter().map(|token| token.id).collect::<Vec<_>>(), [id], "links by mail are not listed");
    let foreign = desk.database.revoke_token(desk.ben, id).await;
    assert_eq!(kind_of(foreign), Some(LibraryErrorKind::NotFound));
    desk.database.revoke_token(desk.ann, id).await.unwrap();
    assert_eq!(desk.database.api_token(&secret.hash()).await.unwrap(), None);
}

async fn special_acts_are_logged_in_order(desk: Desk) {
    let zoe = add(&desk, "zoe", Role::User).await;
    edit(&desk, zoe.id, suspension()).await.unwrap();
    edit(&desk, zoe.id, suspension()).await.unwrap();
    let both = UserEdit {
        status: Some(UserStatus::Active),
        role: Some(Role::Pro),
        password_hash: Some("secret".to_owned()),
        ..UserEdit::default()
    };
    edit(&desk, zoe.id, both).await.unwrap();
    desk.database.remove_user(&root(&desk), zoe.id).await.unwrap();
    let query = AuditQuery { target: Some(zoe.id.to_string()), ..AuditQuery::default() };
    let lines = desk.database.audit_log(&query).await.unwrap();
    let actions: Vec<&str> = lines.iter().rev().map(|line| line.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "user.add",
            "user.suspend",
            "user.reactivate",
            "user.change_role",
            "user.change_password",
            "user.remove"
        ]
    );
    let change = &lines[2];
    assert_eq!(change.changes, json!({"before": {"role": "user"}, "after": {"role": "pro"}}));
    assert_eq!((change.actor, change.address.as_deref()), (desk.ann.user, Some("192.0.2.1")));
    assert!(lines.iter().all(|line| !line.changes.to_string().contains("secret")));
}

async fn the_log_is_read_by_actor_and_target(desk: Desk) {
    let actor = Actor::at_the_machine(desk.ben.user);
    for number in 0..3 {
        let target = format!("{}-{number}", desk.ben.user);
        desk.database.record_act(&actor, "settings.change", "settings", &target, json!({})).await.unwrap();
    }
    let mut query = AuditQuery { actor: Some(desk.ben.user), limit: 2, ..AuditQuery::default() };
    let newest = desk.database.audit_log(&query).await.unwrap();
    assert!(newest.len() == 2 && newest[0].target.ends_with("-2") && newest[0].seq > newest[1].seq);
    query.before = newest[1].seq;
    let older = desk.database.audit_log(&query).await.unwrap();
    assert!(older.len() == 1 && older[0].target.ends_with("-0"));
}

async fn a_refused_act_is_not_logged(desk: Desk) {
    let boss = add(&desk, "boss", Role::Admin).await;
    assert!(edit(&desk, boss.id, suspension()).await.is_err());
    let query = AuditQuery { target: Some(boss.id.to_string()), ..AuditQuery::default() };
    assert_eq!(desk.database.audit_log(&query).await.unwrap().len(), 1, "only that it was added");
}

async fn ended_sessions_are_pruned(desk: Desk) {
    let (ended, _) = open(&desk, desk.ann.user, Duration::ZERO).await;
    let (going_on, secret) = open(&desk, desk.ann.user, HOUR).await;
    let (program, _) = give(&desk, desk.ann.user, TokenPurpose::Api, None).await;
    desk.database.prune(HOUR, HOUR).await.unwrap();
    let close = async |id| kind_of(desk.database.close_session(desk.ann, id).await);
    assert_eq!(close(ended).await, Some(LibraryErrorKind::NotFound));
    assert!(is_open(&desk, &secret).await);
    assert_eq!(close(going_on).await, None);
    desk.database.revoke_token(desk.ann, program).await.unwrap();
}

async fn a_session_acts_as_another_user_and_ends_as_its_own(desk: Desk) {
    let boss = add(&desk, "boss", Role::SuperAdmin).await;
    let zoe = add(&desk, "zoe", Role::User).await;
    let (id, secret) = open(&desk, boss.id, HOUR).await;
    let actor = Actor { user: boss.id, address: None };
    let who = async || desk.database.session(&secret.hash()).await.unwrap().unwrap();
    desk.database.act_as(&actor, id, Some(zoe.id)).await.unwrap();
    let (session, user) = who().await;
    assert_eq!((session.user, session.acting_as, user.id), (boss.id, Some(zoe.id), zoe.id));
    assert!(desk.database.sessions(Scope::of(zoe.id)).await.unwrap().is_empty(), "it is not one of hers");
    desk.database.act_as(&actor, id, None).await.unwrap();
    assert_eq!(who().await.1.id, boss.id);
    let query = AuditQuery { target: Some(zoe.id.to_string()), ..AuditQuery::default() };
    let log = desk.database.audit_log(&query).await.unwrap();
    let log: Vec<_> = log.iter().map(|line| (line.actor, line.action.as_str())).collect();
    assert_eq!(log[..2], [(boss.id, "user.stop_acting_as"), (boss.id, "user.act_as")]);

    edit(&desk, zoe.id, suspension()).await.unwrap();
    let error = desk.database.act_as(&actor, id, Some(zoe.id)).await;
    assert_eq!(kind_of(error), Some(LibraryErrorKind::NotFound));
    let stranger = Actor { user: zoe.id, address: None };
    assert_eq!(
        kind_of(desk.database.act_as(&stranger, id, Some(boss.id)).await),
        Some(LibraryErrorKind::NotFound),
        "a session is its owner's"
    );
}

async fn who_is_no_super_admin_any_more_acts_as_nobody(desk: Desk) {
    let (boss, zoe) = (add(&desk, "boss", Role::SuperAdmin).await, add(&desk, "zoe", Role::User).await);
    add(&desk, "other", Role::SuperAdmin).await;
    let (id, secret) = open(&desk, boss.id, HOUR).await;
    desk.database.act_as(&Actor { user: boss.id, address: None }, id, Some(zoe.id)).await.unwrap();
    edit(&desk, boss.id, UserEdit { role: Some(Role::Admin), ..UserEdit::default() }).await.unwrap();
    assert!(!is_open(&desk, &secret).await);
}

async fn what_is_open_is_asked_for_at_once(desk: Desk) {
    let (ann, ben) = (add(&desk, "ann", Role::User).await, add(&desk, "ben", Role::Pro).await);
    let (hers, _) = open(&desk, ann.id, HOUR).await;
    let (his, _) = open(&desk, ben.id, HOUR).await;
    let (ended, _) = open(&desk, ann.id, Duration::ZERO).await;
    let (program, secret) = give(&desk, ann.id, TokenPurpose::Api, None).await;
    let (his_program, _) = give(&desk, ben.id, TokenPurpose::Api, None).await;
    let (link, _) = give(&desk, ann.id, TokenPurpose::SignIn, None).await;
    let sessions = async || {
        let asked = [hers, his, ended, SessionId::random()];
        let mut found = desk.database.sessions_still_open(&asked).await.unwrap();
        found.sort_by_key(|(session, _)| session.id != hers);
        found.into_iter().map(|(session, user)| (session.id, user.id)).collect::<Vec<_>>()
    };
    let tokens = async || {
        let asked = [program, his_program, link, TokenId::random()];
        let mut found = desk.database.tokens_still_valid(&asked).await.unwrap();
        found.sort_by_key(|(token, _)| token.id != program);
        found.into_iter().map(|(token, user)| (token.id, user.id)).collect::<Vec<_>>()
    };
    assert_eq!(sessions().await, [(hers, ann.id), (his, ben.id)]);
    assert_eq!(tokens().await, [(program, ann.id), (his_program, ben.id)]);
    let (unused, _) = &desk.database.tokens_still_valid(&[program]).await.unwrap()[0];
    assert_eq!(unused.used_at_ms, None, "looking is no use");
    assert!(desk.database.api_token(&secret.hash()).await.unwrap().is_some());
    edit(&desk, ben.id, suspension()).await.unwrap();
    assert_eq!((sessions().await, tokens().await), (vec![(hers, ann.id)], vec![(program, ann.id)]));
    assert!(desk.database.sessions_still_open(&[]).await.unwrap().is_empty());
}

async fn who_is_known_elsewhere_is_found_by_that_alone(desk: Desk) {
    let identity =
        |issuer: &str, subject: &str| Identity { issuer: issuer.to_owned(), subject: subject.to_owned() };
    let hers = identity("https://a.example", "1");
    let ann = NewUser {
        id: UserId::random(),
        name: "Ann".to_owned(),
        email: Some("ann@example.org".to_owned()),
        role: Role::User,
        password_hash: None,
    };
    let as_ann = Actor::at_the_machine(ann.id);
    desk.database.add_user_with_identity(&as_ann, &ann, &hers).await.unwrap();
    let found = async |identity: &Identity| {
        desk.database.user_with_identity(identity).await.unwrap().map(|user| user.id)
    };
    assert_eq!(found(&hers).await, Some(ann.id));
    assert_eq!(found(&identity("https://b.example", "1")).await, None);
    assert_eq!(found(&identity("https://a.example", "2")).await, None);
    // All or nothing.
    let other = NewUser { id: UserId::random(), email: None, ..ann.clone() };
    let taken = desk.database.add_user_with_identity(&Actor::at_the_machine(other.id), &other, &hers).await;
    assert_eq!(kind_of(taken), Some(LibraryErrorKind::Conflict));
    assert_eq!(kind_of(desk.database.user(other.id).await), Some(LibraryErrorKind::NotFound));

    let ben = add(&desk, "ben", Role::User).await;
    let as_ben = Actor::at_the_machine(ben.id);
    let link = async |actor: &Actor, identity: &Identity| {
        kind_of(desk.database.link_identity(actor, identity).await)
    };
    assert_eq!(link(&as_ben, &hers).await, Some(LibraryErrorKind::Conflict));
    assert_eq!(link(&as_ben, &identity("https://a.example", "2")).await, None);
    assert_eq!(link(&as_ben, &identity("https://a.example", "3")).await, Some(LibraryErrorKind::Conflict));
    assert_eq!(
        link(&as_ben, &identity("https://a.example", &"x".repeat(256))).await,
        Some(LibraryErrorKind::Invalid)
    );
    assert_eq!(
        desk.database.identities(Scope::of(ben.id)).await.unwrap(),
        [identity("https://a.example", "2")]
    );
    desk.database.unlink_identity(&as_ben, "https://a.example").await.unwrap();
    assert_eq!(found(&identity("https://a.example", "2")).await, None);
    let again = desk.database.unlink_identity(&as_ben, "https://a.example").await;
    assert_eq!(kind_of(again), Some(LibraryErrorKind::NotFound));
    let log = desk.database.audit_log(&AuditQuery::default()).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(acts[..2], ["user.unlink", "user.link"]);
    desk.database.remove_user(&root(&desk), ann.id).await.unwrap();
    assert_eq!(found(&hers).await, None);
}
