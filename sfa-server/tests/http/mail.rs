//! What carries mail, and the links that come with it.

use serde_json::{Value, json};
use sfa_core::library::{NewToken, Role, Secret, TokenId, TokenPurpose};
use sfa_server::http::ServeOptions;
use sfa_server::mail::{Letter, MailOptions};

use crate::house::{Answer, Client, House, refused, text};
use crate::post::Post;

const PASSWORD: &str = "a long password";

fn letter(to: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "Grüße".to_owned(),
        text: "A line.\n.\nAnother, after a dot.\n".to_owned(),
    }
}

/// A house that sends its mail to `post`.
async fn house(post: &Post) -> House {
    let mail = post.options("?tls=none");
    House::with(|options| {
        options.open_registration = true;
        options.public_url = Some("http://songs.example.org".to_owned());
        options.mail = Some(mail);
    })
    .await
}

/// Signs in as with a browser at the public address.
fn signed_in(house: &House, answer: &Answer) -> Client {
    assert_eq!(answer.status, 200, "{answer:?}");
    house.anybody().taking_cookie(answer)
}

async fn follow(house: &House, token: &str) -> Answer {
    house.anybody().post("/api/v1/login/link", json!({"token": token})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_carrier_delivers_what_it_is_given() {
    let post = Post::open().await;
    post.options("?tls=none").carrier().unwrap().send(&letter("ann@example.org")).await.unwrap();
    let delivered = post.next().await;
    assert_eq!(delivered.to, "ann@example.org");

    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().join("mail").display());
    let options = MailOptions { url, from: "studio@example.org".to_owned() };
    options.carrier().unwrap().send(&letter("ann@example.org")).await.unwrap();
    let written = crate::desk::files_below(folder.path());
    assert!(written.len() == 1 && written[0].ends_with(".eml"), "{written:?}");
    let written = std::fs::read_to_string(folder.path().join(&written[0])).unwrap();
    for text in [delivered.text, written] {
        assert!(text.contains("To: ann@example.org\r\n") && text.contains("studio@example.org"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n") && text.contains("Date: "), "{text}");
        assert!(text.trim_end().ends_with("A line.\r\n.\r\nAnother, after a dot."), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_a_server_that_cannot_encrypt() {
    let post = Post::open().await;
    let error = post.options("").carrier().unwrap().send(&letter("ann@example.org")).await.unwrap_err();
    assert!(!error.message.is_empty());
    assert!(!post.commands().iter().any(|command| command.starts_with("MAIL")), "{:?}", post.commands());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_for_good_is_told_from_what_may_work_later() {
    let post = Post::open().await;
    let carrier = post.options("?tls=none").carrier().unwrap();
    post.refuse_next("550 no such mailbox");
    assert!(carrier.send(&letter("ann@example.org")).await.unwrap_err().is_final);
    post.refuse_next("451 come again");
    assert!(!carrier.send(&letter("ann@example.org")).await.unwrap_err().is_final);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_needs_an_address_for_its_links() {
    let mut options = ServeOptions::default();
    options.listen = ([127, 0, 0, 1], 0).into();
    options.mail = Some(MailOptions { url: "log:".to_owned(), from: "studio@example.org".to_owned() });
    let desk = House::open().await;
    let error = sfa_server::http::Server::start(desk.library.clone(), options).await.err().unwrap();
    assert!(error.to_string().contains("--public-url"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mail_there_are_no_links() {
    let house = House::open().await;
    for path in ["/api/v1/login/mail", "/api/v1/password/mail"] {
        let answer = house.anybody().post(path, json!({"email": "ann@example.org"})).await;
        refused(&answer, 409, "no_mail");
    }
    assert_eq!(house.anybody().get("/api/v1/server").await.data()["sends_mail"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_in_once_and_is_not_used_up_by_looking_at_it() {
    let post = Post::open().await;
    let house = house(&post).await;
    house.user("ann", Role::User).await;
    let asked = house.anybody().post("/api/v1/login/mail", json!({"email": "Ann@Example.org"})).await;
    assert_eq!((asked.status, asked.body.len()), (202, 0));
    let token = post.token("ann@example.org", "sign-in").await;
    // Programs that look for evil in mail follow links.
    for _ in 0..3 {
        house.anybody().get("/link/sign-in").await;
    }
    for wrong in ["", "sfa_0", &Secret::random().reveal()] {
        refused(&follow(&house, wrong).await, 403, "link_over");
    }
    let ann = signed_in(&house, &follow(&house, &token).await);
    assert_eq!(ann.get("/api/v1/me").await.data()["name"], "ann");
    refused(&follow(&house, &token).await, 403, "link_over");
    for file in house.files() {
        let bytes = std::fs::read(house.desk.path("data").join(file)).unwrap();
        assert!(
            !bytes.windows(token.len()).any(|window| window == token.as_bytes()),
            "only its hash is kept"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_follow_a_link_one_signs_in() {
    let post = Post::open().await;
    let house = house(&post).await;
    house.user("ann", Role::User).await;
    house.anybody().post("/api/v1/login/mail", json!({"email": "ann@example.org"})).await;
    let token = post.token("ann@example.org", "sign-in").await;
    let answers = futures_util::future::join_all((0..8).map(|_| follow(&house, &token))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_for_its_purpose_and_its_time() {
    let post = Post::open().await;
    let house = house(&post).await;
    let ann = house.user("ann", Role::User).await;
    let give = async |purpose, lifetime_ms| {
        let secret = Secret::random();
        let token = NewToken {
            id: TokenId::random(),
            user: ann.user,
            purpose,
            secret: secret.hash(),
            label: String::new(),
            scopes: Vec::new(),
            sent_to: Some("ann@example.org".to_owned()),
            lifetime: Some(std::time::Duration::from_millis(lifetime_ms)),
        };
        house.library.rows().add_token(&token).await.unwrap();
        secret.reveal()
    };
    let hour_ms = 3_600_000;
    refused(&follow(&house, &give(TokenPurpose::SignIn, 0).await).await, 403, "link_over");
    refused(&follow(&house, &give(TokenPurpose::ResetPassword, hour_ms).await).await, 403, "link_over");
    refused(&follow(&house, &give(TokenPurpose::Api, hour_ms).await).await, 403, "link_over");
    let sign_in = give(TokenPurpose::SignIn, hour_ms).await;
    let reset = json!({"token": sign_in, "new": PASSWORD});
    refused(&house.anybody().post("/api/v1/password/link", reset).await, 403, "link_over");
    assert_eq!(follow(&house, &sign_in).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_who_has_an_account() {
    let post = Post::open().await;
    let house = house(&post).await;
    let ann = house.user("ann", Role::User).await;
    let ask = async |path: &str, email: &str| {
        let body = match path {
            "/api/v1/register" => json!({"name": "Somebody", "email": email}),
            _ => json!({ "email": email }),
        };
        let answer = house.anybody().post(path, body).await;
        (answer.status, answer.body.clone(), answer.headers.contains_key("set-cookie"))
    };
    for path in ["/api/v1/login/mail", "/api/v1/password/mail", "/api/v1/register"] {
        let known = ask(path, "ann@example.org").await;
        assert_eq!(known, ask(path, "nobody@example.org").await, "{path}");
        assert_eq!(known.0, 202, "{path}");
    }
    let new_address = ann.post("/api/v1/me/email", json!({"email": "nobody@example.org"})).await;
    assert_eq!(new_address.status, 202);
    refused(
        &house.anybody().post("/api/v1/login/mail", json!({"email": "no address"})).await,
        422,
        "invalid",
    );
    let nameless = json!({"name": "", "email": "x@example.org"});
    refused(&house.anybody().post("/api/v1/register", nameless).await, 422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_drowned_in_mail() {
    let post = Post::open().await;
    let house = house(&post).await;
    let ask = async |email: &str| house.anybody().post("/api/v1/login/mail", json!({ "email": email })).await;
    for _ in 0..5 {
        assert_eq!(ask("nobody@example.org").await.status, 202);
    }
    let late = ask("nobody@example.org").await;
    refused(&late, 429, "too_many_requests");
    assert!(late.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(ask("ben@example.org").await.status, 202, "each address is counted by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_by_whom_the_address_belongs_to() {
    let post = Post::open().await;
    let house = house(&post).await;
    let register = json!({"name": "Ann", "email": "ann@example.org", "password": "somebody else's choice"});
    assert_eq!(house.anybody().post("/api/v1/register", register.clone()).await.status, 202);
    let token = post.token("ann@example.org", "sign-in").await;
    // Who registered somebody else's address has chosen no password for them.
    let log_in = |password: &str| json!({"email": "ann@example.org", "password": password});
    let tried = house.anybody().post("/api/v1/login", log_in("somebody else's choice")).await;
    refused(&tried, 401, "wrong_password");

    let ann = signed_in(&house, &follow(&house, &token).await);
    let chosen = ann.json("PUT", "/api/v1/me/password", json!({"new": PASSWORD})).await;
    assert_eq!(chosen.status, 200, "the first password needs none before: {chosen:?}");
    assert!(post.next().await.text.contains("new password was set"));
    assert_eq!(house.anybody().post("/api/v1/login", log_in(PASSWORD)).await.status, 200);

    // Whom the address belongs to learns that somebody tried it again.
    assert_eq!(house.anybody().post("/api/v1/register", register).await.status, 202);
    let told = post.next().await;
    assert!(told.text.contains("It has one already"), "{told:?}");
    let again = house.anybody().post("/api/v1/login", log_in(PASSWORD)).await;
    assert_eq!(again.data()["name"], "Ann", "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced() {
    let post = Post::open().await;
    let house = house(&post).await;
    let ann = house.user("ann", Role::User).await;
    house.anybody().post("/api/v1/password/mail", json!({"email": "ann@example.org"})).await;
    let token = post.token("ann@example.org", "reset-password").await;
    let set = async |new: &str| {
        house.anybody().post("/api/v1/password/link", json!({"token": token, "new": new})).await
    };
    refused(&set("short").await, 422, "invalid");
    let done = set(PASSWORD).await;
    assert_eq!(signed_in(&house, &done).get("/api/v1/me").await.status, 200);
    refused(&set(PASSWORD).await, 403, "link_over");
    refused(&ann.get("/api/v1/me").await, 401, "unauthorized");
    assert!(post.next().await.text.contains("new password was set"));
    let log_in = json!({"email": "ann@example.org", "password": PASSWORD});
    assert_eq!(house.anybody().post("/api/v1/login", log_in).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_confirmed_there_and_told_to_the_old_one() {
    let post = Post::open().await;
    let house = house(&post).await;
    let ann = house.user("ann", Role::User).await;
    house.user("ben", Role::User).await;
    assert_eq!(ann.post("/api/v1/me/email", json!({"email": "ben@example.org"})).await.status, 202);
    let told = post.next().await;
    assert!(told.to == "ben@example.org" && told.text.contains("has an account already"), "{told:?}");

    assert_eq!(ann.post("/api/v1/me/email", json!({"email": "anna@example.org"})).await.status, 202);
    let token = post.token("anna@example.org", "confirm-email").await;
    assert_eq!(ann.get("/api/v1/me").await.data()["email"], "ann@example.org", "not yet");
    let confirm = async || house.anybody().post("/api/v1/email/link", json!({"token": token})).await;
    assert_eq!(confirm().await.data()["email"], "anna@example.org");
    refused(&confirm().await, 403, "link_over");
    assert_eq!(post.next().await.to, "ann@example.org");
    let log: Value = house.user("boss", Role::Admin).await.get("/api/v1/audit").await.data();
    assert_eq!(text(&log[1]["action"]), "user.change_email");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_was_refused_for_now_comes_later() {
    let post = Post::open().await;
    let house = house(&post).await;
    house.user("ann", Role::User).await;
    post.refuse_next("451 come again");
    house.anybody().post("/api/v1/login/mail", json!({"email": "ann@example.org"})).await;
    let token = post.token("ann@example.org", "sign-in").await;
    assert_eq!(follow(&house, &token).await.status, 200);
}
