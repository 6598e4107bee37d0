//! Every route, by everybody, on their own things and on those of others. A route that is not in the table fails.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sfa_core::library::{Role, Step};

use crate::house::{Client, House, text};

/// What a route needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Need {
    Nothing,
    /// A session, and no token.
    Account,
    Read,
    Change,
    Moderator,
    Admin,
    /// A super admin's session, and no token.
    Super,
}
use Need::{Account, Admin, Change, Moderator, Nothing, Read, Super};

/// Which of the caller's things a route is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    All,
    Track,
    Job,
    Playlist,
    Package,
    Session,
    Token,
    File,
    User,
    Upload,
    Secret,
    Cue,
}

const ROUTES: &[(&str, Need, About)] = &[
    ("GET /health", Nothing, About::All),
    ("GET /ready", Nothing, About::All),
    ("GET /api/v1/openapi.json", Nothing, About::All),
    ("GET /api/v1/reference", Nothing, About::All),
    ("GET /api/v1/reference/{name}", Nothing, About::All),
    ("GET /api/v1/server", Nothing, About::All),
    ("POST /api/v1/setup", Nothing, About::All),
    ("POST /api/v1/register", Nothing, About::All),
    ("POST /api/v1/login", Nothing, About::All),
    ("POST /api/v1/login/mail", Nothing, About::All),
    ("POST /api/v1/login/link", Nothing, About::All),
    ("POST /api/v1/password/mail", Nothing, About::All),
    ("POST /api/v1/password/link", Nothing, About::All),
    ("POST /api/v1/email/link", Nothing, About::All),
    ("GET /api/v1/oidc/begin", Nothing, About::All),
    ("GET /api/v1/oidc/callback", Nothing, About::All),
    ("GET /api/v1/me/identities", Account, About::All),
    ("POST /api/v1/me/identities", Account, About::All),
    ("DELETE /api/v1/me/identities", Account, About::All),
    ("GET /files/{hash}", Nothing, About::All),
    ("GET /api/v1/me", Read, About::All),
    ("PATCH /api/v1/me", Account, About::All),
    ("PUT /api/v1/me/password", Account, About::All),
    ("POST /api/v1/me/email", Account, About::All),
    ("POST /api/v1/reauthenticate", Account, About::All),
    ("GET /api/v1/vault", Account, About::All),
    ("PUT /api/v1/vault/{name}", Account, About::All),
    ("DELETE /api/v1/vault/{name}", Account, About::Secret),
    ("GET /api/v1/sessions", Account, About::All),
    ("DELETE /api/v1/sessions", Account, About::All),
    ("DELETE /api/v1/sessions/{id}", Account, About::Session),
    ("GET /api/v1/tokens", Account, About::All),
    ("POST /api/v1/tokens", Account, About::All),
    ("DELETE /api/v1/tokens/{id}", Account, About::Token),
    ("GET /api/v1/tracks", Read, About::All),
    ("GET /api/v1/tracks/missing", Read, About::All),
    ("POST /api/v1/tracks", Change, About::All),
    ("POST /api/v1/tracks/import", Change, About::All),
    ("OPTIONS /api/v1/uploads", Nothing, About::All),
    ("POST /api/v1/uploads", Change, About::All),
    ("HEAD /api/v1/uploads/{id}", Change, About::Upload),
    ("PATCH /api/v1/uploads/{id}", Change, About::Upload),
    ("DELETE /api/v1/uploads/{id}", Change, About::Upload),
    ("GET /api/v1/tracks/{id}", Read, About::Track),
    ("PATCH /api/v1/tracks/{id}", Change, About::Track),
    ("DELETE /api/v1/tracks/{id}", Change, About::Track),
    ("POST /api/v1/tracks/{id}/process", Change, About::Track),
    ("POST /api/v1/tracks/process", Change, About::All),
    ("POST /api/v1/tracks/remove", Change, About::All),
    ("GET /api/v1/tracks/{id}/analysis", Read, About::Track),
    ("GET /api/v1/tracks/{id}/stems", Read, About::Track),
    ("GET /api/v1/tracks/{id}/cues", Read, About::Track),
    ("POST /api/v1/tracks/{id}/cues", Change, About::Track),
    ("PUT /api/v1/tracks/{id}/cues/{cue}", Change, About::Cue),
    ("DELETE /api/v1/tracks/{id}/cues/{cue}", Change, About::Cue),
    ("GET /api/v1/tracks/{id}/exports", Read, About::Track),
    ("GET /api/v1/files/{hash}/{name}", Read, About::File),
    ("POST /api/v1/files/{hash}/link", Change, About::File),
    ("GET /api/v1/jobs", Read, About::All),
    ("GET /api/v1/jobs/{id}", Read, About::Job),
    ("GET /api/v1/jobs/{id}/timeline", Read, About::Job),
    ("POST /api/v1/jobs/{id}/cancel", Change, About::Job),
    ("POST /api/v1/jobs/{id}/retry", Change, About::Job),
    ("GET /api/v1/playlists", Read, About::All),
    ("POST /api/v1/playlists", Change, About::All),
    ("GET /api/v1/playlists/{id}", Read, About::Playlist),
    ("PATCH /api/v1/playlists/{id}", Change, About::Playlist),
    ("DELETE /api/v1/playlists/{id}", Change, About::Playlist),
    ("PUT /api/v1/playlists/{id}/tracks", Change, About::Playlist),
    ("GET /api/v1/packages", Read, About::All),
    ("POST /api/v1/packages", Change, About::All),
    ("POST /api/v1/packages/plan", Read, About::All),
    ("DELETE /api/v1/packages/{id}", Change, About::Package),
    ("GET /api/v1/notifications", Read, About::All),
    ("POST /api/v1/notifications/read", Change, About::All),
    ("GET /api/v1/settings", Read, About::All),
    ("PUT /api/v1/settings", Change, About::All),
    ("GET /api/v1/engines", Read, About::All),
    ("GET /api/v1/tools", Read, About::All),
    ("GET /api/v1/models", Read, About::All),
    ("GET /api/v1/models/licence", Read, About::All),
    ("POST /api/v1/models/{name}/pull", Admin, About::All),
    ("POST /api/v1/models/{name}/verify", Admin, About::All),
    ("POST /api/v1/models/{name}/import", Admin, About::All),
    ("DELETE /api/v1/models/{name}", Admin, About::All),
    ("DELETE /api/v1/models/{name}/work", Admin, About::All),
    ("GET /api/v1/live", Read, About::All),
    ("GET /api/v1/live/sse", Read, About::All),
    ("GET /api/v1/users", Moderator, About::All),
    ("POST /api/v1/users", Admin, About::All),
    ("GET /api/v1/users/{id}", Moderator, About::User),
    ("PATCH /api/v1/users/{id}", Admin, About::User),
    ("DELETE /api/v1/users/{id}", Admin, About::User),
    ("PUT /api/v1/users/{id}/status", Moderator, About::User),
    ("POST /api/v1/users/{id}/impersonate", Super, About::User),
    ("DELETE /api/v1/impersonation", Account, About::All),
    ("GET /api/v1/audit", Admin, About::All),
    ("GET /api/v1/queues", Admin, About::All),
    ("GET /api/v1/admin/overview", Admin, About::All),
    ("GET /api/v1/admin/jobs", Admin, About::All),
    ("POST /api/v1/admin/jobs/{id}/cancel", Admin, About::Job),
    ("POST /api/v1/admin/jobs/{id}/retry", Admin, About::Job),
    ("POST /api/v1/logout", Account, About::All),
];

/// The routes that want a proof of the last minutes from who is signed in.
const GUARDED: &[&str] = &[
    "PUT /api/v1/me/password",
    "POST /api/v1/me/email",
    "POST /api/v1/me/identities",
    "DELETE /api/v1/me/identities",
    "POST /api/v1/tokens",
    "PUT /api/v1/vault/{name}",
    "DELETE /api/v1/vault/{name}",
    "POST /api/v1/users",
    "PATCH /api/v1/users/{id}",
    "DELETE /api/v1/users/{id}",
    "POST /api/v1/users/{id}/impersonate",
];

/// The routes that are there for who acts as another user, besides that user's songs.
const LENT: &[&str] = &["POST /api/v1/logout", "DELETE /api/v1/impersonation"];
/// The same of the older dialects.
const LEGACY: &[(&str, Need, About)] = &[
    ("GET /api/config", Nothing, About::All),
    ("GET /.well-known/{*path}", Nothing, About::All),
    ("GET /auth/spotify/callback", Nothing, About::All),
    ("GET /auth/spotify", Read, About::All),
    ("POST /api/spotify/fetch", Read, About::All),
    ("POST /api/download/track", Change, About::All),
    ("GET /api/download/job/{id}", Read, About::Track),
    ("GET /api/download/track/{id}", Read, About::Track),
    ("GET /api/processing/models", Read, About::All),
    ("POST /api/processing/separate", Change, About::All),
    ("GET /api/processing/job/{id}", Read, About::Job),
    ("POST /api/process/separate", Change, About::All),
    ("GET /api/process/job/{id}", Read, About::Job),
    ("GET /api/process/track/{id}", Read, About::Track),
    ("POST /api/analysis/analyze", Change, About::All),
    ("GET /api/analysis/job/{id}", Read, About::Job),
    ("POST /api/analyze/analyze", Change, About::All),
    ("GET /api/analyze/job/{id}", Read, About::Job),
    ("GET /api/analyze/track/{id}", Read, About::Track),
    ("POST /api/daw/export", Change, About::All),
    ("GET /api/lalalai/quota", Read, About::All),
    ("POST /api/lalalai/cancel", Change, About::All),
    ("POST /api/lalalai/cancel-all", Change, About::All),
    ("GET /export/stem/{id}", Read, About::Track),
    ("GET /export/stems/{track_id}", Read, About::Track),
    ("GET /export/analysis/{track_id}", Read, About::Track),
    ("GET /export/midi/{track_id}", Read, About::Track),
    ("GET /files/midi/{track_id}", Read, About::Track),
    ("GET /files/{hash}/{name}", Read, About::File),
    ("GET /alchemy/{id}/download", Read, About::All),
    ("GET /socket/track", Read, About::All),
    ("GET /socket/websocket", Read, About::All),
];

fn routes() -> impl Iterator<Item = (&'static str, Need, About)> {
    ROUTES.iter().chain(LEGACY).copied()
}

/// What makes a call of this route whole.
fn body(route: &str) -> Value {
    match route {
        "PATCH /api/v1/tracks/{id}" => json!({"title": "new"}),
        "POST /api/v1/tracks/{id}/process" => json!({"from": "analyze"}),
        "POST /api/v1/tracks/{id}/cues" | "PUT /api/v1/tracks/{id}/cues/{cue}" => json!({"start_ms": 0}),
        "POST /api/v1/files/{hash}/link" => json!({"lifetime_secs": 60}),
        "PATCH /api/v1/me" | "PATCH /api/v1/playlists/{id}" => json!({"name": "new"}),
        "PUT /api/v1/playlists/{id}/tracks" => json!({"track_ids": []}),
        "PUT /api/v1/vault/{name}" => json!({"value": "x"}),
        "PUT /api/v1/users/{id}/status" => json!({"status": "active"}),
        _ => json!({}),
    }
}

/// Things of somebody's, by their names.
struct Things {
    track: String,
    job: String,
    playlist: String,
    package: String,
    session: String,
    token: String,
    hash: String,
    user: String,
    upload: String,
    cue: String,
}

impl Things {
    async fn of(house: &House, owner: &Client, frames: u32) -> Self {
        let track = house.track(owner, "song.wav", frames).await;
        let shown = owner.get(&format!("/api/v1/tracks/{track}")).await.data();
        let id = track.parse().unwrap();
        let scope = sfa_core::library::Scope::of(owner.user);
        let job = house.library.process(scope, id, Step::Analyze).await.unwrap().id();
        let playlist = owner.post("/api/v1/playlists", json!({"name": format!("{frames}")})).await;
        house.session(owner.user).await;
        let token = owner.post("/api/v1/tokens", json!({"label": "x", "scopes": ["read"]})).await;
        let upload = owner.with("tus-resumable", "1.0.0").with("upload-length", "10");
        let upload = upload.send("POST", "/api/v1/uploads", "").await.header("location");
        let cue = owner.post(&format!("/api/v1/tracks/{track}/cues"), json!({"start_ms": 0})).await;
        owner.json("PUT", "/api/v1/vault/a.wav", json!({"value": "x"})).await;
        let sessions = owner.get("/api/v1/sessions").await.data();
        let session = sessions.as_array().unwrap().iter().find(|session| session["is_current"] == false);
        Self {
            track,
            job: job.to_string(),
            playlist: text(&playlist.data()["id"]),
            package: house.package(owner.user, &text(&shown["file"]["hash"])).await,
            session: text(&session.unwrap()["id"]),
            token: text(&token.data()["id"]),
            hash: text(&shown["file"]["hash"]),
            user: owner.user.to_string(),
            upload: upload.rsplit('/').next().unwrap().to_owned(),
            cue: text(&cue.data()["id"]),
        }
    }

    /// Names of nothing.
    fn none() -> Self {
        use sfa_core::library::{CueId, JobId, PlaylistId, SessionId, TokenId, TrackId, UploadId, UserId};
        Self {
            track: TrackId::random().to_string(),
            job: JobId::random().to_string(),
            playlist: PlaylistId::random().to_string(),
            package: JobId::random().to_string(),
            session: SessionId::random().to_string(),
            token: TokenId::random().to_string(),
            hash: "0".repeat(64),
            user: UserId::random().to_string(),
            upload: UploadId::random().to_string(),
            cue: CueId::random().to_string(),
        }
    }

    fn path(&self, path: &str, about: About) -> String {
        let id = match about {
            About::Job => &self.job,
            About::Playlist => &self.playlist,
            About::Package => &self.package,
            About::Session => &self.session,
            About::Token => &self.token,
            About::User => &self.user,
            About::Upload => &self.upload,
            About::All | About::Track | About::File | About::Secret | About::Cue => &self.track,
        };
        path.replace("{id}", id)
            .replace("{track_id}", id)
            .replace("{hash}", &self.hash)
            .replace("{cue}", &self.cue)
            .replace("{name}", "a.wav")
            .replace("{*path}", "a")
    }
}

async fn call(client: &Client, route: &str, path: &str) -> u16 {
    let (method, _) = route.split_once(' ').unwrap();
    if method == "GET" {
        return client.get(path).await.status;
    }
    if path.starts_with("/api/v1/uploads/") {
        let kind = "application/offset+octet-stream";
        let client = client.with("content-type", kind).with("tus-resumable", "1.0.0");
        return client.with("upload-offset", "0").send(method, path, "").await.status;
    }
    client.json(method, path, body(route)).await.status
}

#[test]
fn every_route_is_in_the_table() {
    let mut documented = BTreeSet::new();
    for document in [sfa_server::http::openapi(), sfa_server::http::legacy_openapi()] {
        let document: Value = serde_json::from_str(&document).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            documented.extend(
                item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
            );
        }
    }
    let listed: BTreeSet<String> = routes().map(|(route, ..)| route.to_owned()).collect();
    assert_eq!(documented, listed);
    assert_eq!(listed.len(), routes().count(), "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_studio_is_for_everybody_and_changes_nothing() {
    let house = House::open().await;
    let nobody = house.anybody();
    for path in ["/", "/library", "/admin/users"] {
        let shown = nobody.get(path).await;
        // Whether a studio was built before the test or not: it is never asked who they are.
        assert!(matches!(shown.status, 200 | 404), "{path}: {}", shown.status);
        assert!(!shown.header("x-request-id").is_empty(), "{path} goes through the front");
        let policy = shown.header("content-security-policy");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(nobody.json(method, path, json!({})).await.status, 404, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_it_should() {
    let house = House::open().await;
    let nobody = house.anybody();
    let unknown = nobody.with("cookie", &format!("sfa=sfa_{}", "0".repeat(64)));
    // Names of nothing: nothing is changed, and who is let in is told that there is nothing.
    let nothing = Things::none();
    let roles = [
        Role::User,
        Role::Pro,
        Role::Enterprise,
        Role::Moderator,
        Role::Admin,
        Role::PlatformAdmin,
        Role::SuperAdmin,
        Role::System,
    ];
    let mut wrong = Vec::new();
    for (number, (route, need, about)) in routes().enumerate() {
        let (_, path) = route.split_once(' ').unwrap();
        let path = nothing.path(path, about);
        for client in [&nobody, &unknown] {
            let status = call(client, route, &path).await;
            if (status == 401) != (need != Nothing) && route != "POST /api/v1/login" {
                wrong.push(format!("{route} by nobody: {status}"));
            }
        }
        for role in roles {
            // A user of its own for each route: some calls end sessions.
            let owner = house.user(&format!("{role}{number}"), role).await;
            let is_let_in = match need {
                Nothing => continue,
                Account | Read | Change => role != Role::System,
                Moderator => matches!(role, Role::Moderator | Role::Admin | Role::SuperAdmin),
                Admin => matches!(role, Role::Admin | Role::SuperAdmin),
                Super => role == Role::SuperAdmin,
            };
            let scope = match need {
                Nothing | Account | Super => None,
                Read => Some("read"),
                Change => Some("write"),
                Moderator | Admin => Some("admin"),
            };
            let mut clients = vec![("session", owner.clone(), is_let_in)];
            for name in ["read", "write", "admin"] {
                clients.push((name, house.program(&owner, &[name]).await, is_let_in && scope == Some(name)));
            }
            // The session last: it may end itself.
            for (how, client, is_let_in) in clients.into_iter().rev() {
                let status = call(&client, route, &path).await;
                let is_failure = status >= 500 && status != 501;
                if (status == 403) == is_let_in || status == 401 || is_failure {
                    wrong.push(format!("{route} by a {role} with {how}: {status}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn things_of_others_are_not_there() {
    let house = House::open().await;
    let mut wrong = Vec::new();
    let ben = house.user("ben", Role::SuperAdmin).await;
    for (number, (route, need, about)) in (0..).zip(routes()) {
        let is_own = !matches!(about, About::All | About::User) && matches!(need, Account | Read | Change);
        if !is_own {
            continue;
        }
        let ann = house.user(&format!("ann{number}"), Role::Pro).await;
        let things = Things::of(&house, &ann, 9000 + number).await;
        let (_, path) = route.split_once(' ').unwrap();
        let path = things.path(path, about);
        let his = call(&ben, route, &path).await;
        if his != 404 {
            wrong.push(format!("{route} by another: {his}"));
        }
        let hers = call(&ann, route, &path).await;
        // No analysis was made yet, and a job that waits is not to be retried.
        let expected = match route {
            "GET /api/v1/tracks/{id}/analysis" => 404..405,
            "POST /api/v1/jobs/{id}/retry" => 409..410,
            // The job is an analysis, nothing was made yet.
            "GET /api/processing/job/{id}" | "GET /api/process/job/{id}" => 404..405,
            export if export.starts_with("GET /export/") => 404..405,
            "GET /files/midi/{track_id}" => 422..423,
            _ => 200..300,
        };
        if !expected.contains(&hers) {
            wrong.push(format!("{route} by its owner: {hers}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dangerous_wants_a_proof_of_the_last_minutes() {
    let house = House::with(|options| options.proof_time = std::time::Duration::ZERO).await;
    let nothing = Things::none();
    let mut wrong = Vec::new();
    for (number, (route, need, about)) in routes().enumerate().filter(|(_, (_, need, _))| *need != Nothing) {
        let boss = house.user(&format!("boss{number}"), Role::SuperAdmin).await;
        let (_, path) = route.split_once(' ').unwrap();
        let path = nothing.path(path, about);
        let status = call(&boss, route, &path).await;
        if (status == 403) != GUARDED.contains(&route) {
            wrong.push(format!("{route} by somebody who proved nothing lately: {status}"));
        }
        // Whoever made a token for this has proved it then.
        if need == Admin {
            let status = call(&house.program(&boss, &["admin"]).await, route, &path).await;
            if status == 403 {
                wrong.push(format!("{route} by a program: {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let boss = house.user("boss", Role::SuperAdmin).await;
    let refusal = boss.post("/api/v1/tokens", json!({"label": "x", "scopes": ["read"]})).await;
    crate::house::refused(&refusal, 403, "reauthentication_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_as_another_user_has_their_songs_and_nothing_else() {
    let house = House::open().await;
    let nothing = Things::none();
    let mut wrong = Vec::new();
    for (number, (route, need, about)) in routes().enumerate().filter(|(_, (_, need, _))| *need != Nothing) {
        let boss = house.user(&format!("boss{number}"), Role::SuperAdmin).await;
        let admin = house.user(&format!("admin{number}"), Role::Admin).await;
        let begun = boss.post(&format!("/api/v1/users/{}/impersonate", admin.user), json!({})).await;
        assert_eq!(begun.status, 200);
        let (_, path) = route.split_once(' ').unwrap();
        let status = call(&boss, route, &nothing.path(path, about)).await;
        let is_lent = matches!(need, Read | Change) || LENT.contains(&route);
        if (status == 403) == is_lent {
            wrong.push(format!("{route} by somebody else: {status}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
