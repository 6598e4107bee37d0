//! Set-up, signing in and out, passwords, sessions, tokens.

use serde_json::json;
use sfa_core::library::{Role, Scope, UserId};

use crate::house::{House, refused, text};

const PASSWORD: &str = "a long password";

fn set_up(token: &str) -> serde_json::Value {
    json!({"token": token, "name": "Ann", "email": "Ann@example.org", "password": PASSWORD})
}

fn log_in(password: &str) -> serde_json::Value {
    json!({"email": "ann@example.org", "password": password})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_admin_is_made_once_and_owns_what_was_there() {
    let house = House::open().await;
    let path = house.desk.song_of("mine.wav", 9007);
    house.library.import(Scope::LOCAL, &path).await.unwrap();
    let token = house.server.set_up_token().unwrap().to_owned();
    let anybody = house.anybody();
    assert_eq!(anybody.get("/api/v1/server").await.data()["needs_set_up"], true);
    refused(&anybody.post("/api/v1/setup", set_up("sfa_0")).await, 403, "forbidden");
    let weak = json!({"token": token, "name": "Ann", "email": "ann@example.org", "password": "short"});
    refused(&anybody.post("/api/v1/setup", weak).await, 422, "invalid");

    let tries = (0..8).map(|_| anybody.post("/api/v1/setup", set_up(&token)));
    let answers = futures_util::future::join_all(tries).await;
    let (made, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1, "one is first");
    late.iter().for_each(|answer| refused(answer, 403, "forbidden"));
    assert_eq!(made[0].data()["role"], "super_admin");

    let ann = anybody.taking_cookie(&made[0]);
    let me = ann.get("/api/v1/me").await.data();
    assert_eq!(
        (text(&me["id"]), text(&me["email"])),
        (UserId::LOCAL.to_string(), "ann@example.org".to_owned())
    );
    assert_eq!(ann.get("/api/v1/tracks").await.rows(), 1, "the songs of the command line are the admin's");
    assert_eq!(anybody.get("/api/v1/server").await.data()["needs_set_up"], false);
    assert_eq!(anybody.post("/api/v1/login", log_in(PASSWORD)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let house = House::with(|options| options.open_registration = true).await;
    let body = json!({"name": "Ann", "email": "ann@example.org", "password": PASSWORD});
    let made = house.anybody().post("/api/v1/register", body).await;
    assert_eq!((made.status, made.data()["role"].clone()), (201, json!("user")));
    let cookie = made.header("set-cookie");
    assert!(
        cookie.starts_with("sfa=sfa_")
            && cookie.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax")
    );

    // What a browser had before is not what opens the session after: nobody can be given one that others know.
    let planted = house.anybody().with("cookie", &format!("sfa=sfa_{}", "0".repeat(64)));
    let signed_in = planted.post("/api/v1/login", log_in(PASSWORD)).await;
    assert_eq!(planted.taking_cookie(&signed_in).get("/api/v1/me").await.status, 200);
    refused(&planted.get("/api/v1/me").await, 401, "unauthorized");

    let ann = planted.taking_cookie(&signed_in);
    assert_eq!(ann.post("/api/v1/logout", json!({})).await.status, 204);
    refused(&ann.get("/api/v1/me").await, 401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_an_encrypted_address_everything_stays_encrypted() {
    let public_url = Some("https://songs.example.org".to_owned());
    let house = House::with(|options| {
        options.open_registration = true;
        options.public_url = public_url;
    })
    .await;
    let browser = house.anybody().with("origin", "https://songs.example.org");
    let body = json!({"name": "Ann", "email": "ann@example.org", "password": PASSWORD});
    let made = browser.post("/api/v1/register", body).await;
    let cookie = made.header("set-cookie");
    assert!(cookie.starts_with("__Host-sfa=sfa_") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(made.header("strict-transport-security").starts_with("max-age="));
    let ann = browser.taking_cookie(&made);
    assert_eq!(ann.get("/api/v1/me").await.status, 200);
    let secret = ann.headers.last().unwrap().1.replace("__Host-sfa=", "sfa=");
    refused(&house.anybody().with("cookie", &secret).get("/api/v1/me").await, 401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_told_who_has_an_account() {
    let house = House::open().await;
    let token = house.server.set_up_token().unwrap().to_owned();
    house.anybody().post("/api/v1/setup", set_up(&token)).await;
    let wrong = house.anybody().post("/api/v1/login", log_in("not the password")).await;
    let unknown = json!({"email": "ben@example.org", "password": "not the password"});
    let unknown = house.anybody().post("/api/v1/login", unknown).await;
    refused(&wrong, 401, "wrong_password");
    refused(&unknown, 401, "wrong_password");
    assert_eq!(wrong.value()["error"]["message"], unknown.value()["error"]["message"]);
    refused(
        &house
            .anybody()
            .post(
                "/api/v1/register",
                json!({"name": "Ben", "email": "ben@example.org",
        "password": PASSWORD}),
            )
            .await,
        403,
        "forbidden",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_and_locks_nobody_out() {
    let proxy: std::net::IpAddr = [127, 0, 0, 1].into();
    let house = House::with(|options| options.trusted_proxies = vec![proxy.into()]).await;
    let token = house.server.set_up_token().unwrap().to_owned();
    house.anybody().post("/api/v1/setup", set_up(&token)).await;
    let at = |address: &str| house.anybody().with("x-forwarded-for", address);
    for _ in 0..6 {
        refused(
            &at("192.0.2.1").post("/api/v1/login", log_in("not the password")).await,
            401,
            "wrong_password",
        );
    }
    let late = at("192.0.2.1").post("/api/v1/login", log_in(PASSWORD)).await;
    refused(&late, 429, "too_many_requests");
    assert!(late.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(at("192.0.2.2").post("/api/v1/login", log_in(PASSWORD)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_other_session_and_no_program() {
    let house = House::open().await;
    let token = house.server.set_up_token().unwrap().to_owned();
    let anybody = house.anybody();
    let here = anybody.taking_cookie(&anybody.post("/api/v1/setup", set_up(&token)).await);
    let there = anybody.taking_cookie(&anybody.post("/api/v1/login", log_in(PASSWORD)).await);
    let program = house.program(&here, &["read"]).await;
    let change = |current: &str| json!({"current": current, "new": "another password"});
    refused(&here.json("PUT", "/api/v1/me/password", change("wrong")).await, 403, "forbidden");
    let changed = here.json("PUT", "/api/v1/me/password", change(PASSWORD)).await;
    assert_eq!(changed.status, 200);
    refused(&there.get("/api/v1/me").await, 401, "unauthorized");
    refused(&here.get("/api/v1/me").await, 401, "unauthorized");
    assert_eq!(here.taking_cookie(&changed).get("/api/v1/me").await.status, 200);
    assert_eq!(program.get("/api/v1/me").await.status, 200);
    refused(&anybody.post("/api/v1/login", log_in(PASSWORD)).await, 401, "wrong_password");
    assert_eq!(anybody.post("/api/v1/login", log_in("another password")).await.status, 200);
    for file in house.files() {
        let bytes = std::fs::read(house.desk.path("data").join(file)).unwrap();
        for password in [PASSWORD, "another password"] {
            assert!(!bytes.windows(password.len()).any(|window| window == password.as_bytes()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended() {
    let house = House::open().await;
    let ann = house.user("ann", Role::User).await;
    let other = house.session(ann.user).await;
    let elsewhere = house.anybody().with("cookie", &format!("sfa={}", other.reveal()));
    let listed = ann.get("/api/v1/sessions").await.data();
    let current: Vec<bool> =
        listed.as_array().unwrap().iter().map(|session| session["is_current"].as_bool().unwrap()).collect();
    assert_eq!(current, [false, true]);
    assert_eq!(ann.delete(&format!("/api/v1/sessions/{}", text(&listed[0]["id"]))).await.status, 204);
    refused(&elsewhere.get("/api/v1/me").await, 401, "unauthorized");
    house.session(ann.user).await;
    assert_eq!(ann.delete("/api/v1/sessions").await.status, 204);
    assert_eq!(ann.get("/api/v1/sessions").await.rows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_does_what_it_is_for() {
    let house = House::open().await;
    let ann = house.user("ann", Role::Admin).await;
    let made = ann.post("/api/v1/tokens", json!({"label": "script", "scopes": ["read"], "days": 30})).await;
    assert_eq!(made.status, 201);
    let secret = text(&made.data()["secret"]);
    assert!(secret.starts_with("sfa_"));
    let listed = ann.get("/api/v1/tokens").await;
    assert!(!String::from_utf8_lossy(&listed.body).contains(&secret));
    assert_eq!(listed.data()[0]["scopes"], json!(["read"]));
    for file in house.files() {
        let bytes = std::fs::read(house.desk.path("data").join(file)).unwrap();
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "only its hash is kept"
        );
    }

    let script = house.anybody().with("authorization", &format!("bearer {secret}"));
    assert_eq!(script.get("/api/v1/tracks").await.status, 200);
    refused(&script.post("/api/v1/playlists", json!({"name": "x"})).await, 403, "forbidden");
    refused(&script.get("/api/v1/users").await, 403, "forbidden");
    refused(&script.get("/api/v1/tokens").await, 403, "forbidden");
    refused(
        &script.post("/api/v1/tokens", json!({"label": "more", "scopes": ["admin"]})).await,
        403,
        "forbidden",
    );
    assert_eq!(house.program(&ann, &["admin"]).await.get("/api/v1/users").await.status, 200);
    let plain = house.user("ben", Role::User).await;
    refused(&house.program(&plain, &["admin"]).await.get("/api/v1/users").await, 403, "forbidden");

    let id = text(&made.data()["id"]);
    assert_eq!(ann.delete(&format!("/api/v1/tokens/{id}")).await.status, 204);
    refused(&script.get("/api/v1/tracks").await, 401, "unauthorized");
    for wrong in [json!([]), json!(["root"]), json!(["read", "read", "read", "read"])] {
        refused(&ann.post("/api/v1/tokens", json!({"label": "x", "scopes": wrong})).await, 422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_proves_again_who_one_is() {
    let house = House::open().await;
    let token = house.server.set_up_token().unwrap().to_owned();
    let anybody = house.anybody();
    let ann = anybody.taking_cookie(&anybody.post("/api/v1/setup", set_up(&token)).await);
    let proof_ends = async || ann.get("/api/v1/me").await.data()["proof_ends_at_ms"].as_i64().unwrap();
    let prove = async |proof: serde_json::Value| ann.post("/api/v1/reauthenticate", proof).await;
    let by_signing_in = proof_ends().await;
    refused(&prove(json!({"password": "not the password"})).await, 403, "wrong_password");
    refused(&prove(json!({"token": "sfa_0"})).await, 403, "link_over");
    refused(&prove(json!({})).await, 422, "invalid");
    assert_eq!(proof_ends().await, by_signing_in);
    assert_eq!(prove(json!({"password": PASSWORD})).await.status, 204);
    assert!(proof_ends().await > by_signing_in);
    let tries = (0..7).map(|_| prove(json!({"password": "not the password"})));
    let answers = futures_util::future::join_all(tries).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 403 | 429)));
    refused(&prove(json!({"password": PASSWORD})).await, 429, "too_many_requests");
}
