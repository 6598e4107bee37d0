//! `docs/api.md`, done as it says.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::desk::{Desk, command, files_below};

const GUIDE: &str = include_str!("../../../docs/api.md");

/// The commands of the guide, one after the other.
fn script() -> String {
    let blocks = GUIDE.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect()
}

#[test]
fn the_guide_leads_from_set_up_to_stems() {
    if ["curl", "jq"].iter().any(|tool| Command::new(tool).arg("--version").output().is_err()) {
        eprintln!("skipped: the guide needs curl and jq");
        return;
    }
    let desk = Desk::new();
    desk.song("song.wav");
    let mut server = command()
        .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error"])
        .env("SFA_DATA_DIR", desk.path("data"))
        .env_remove("SFA_DATABASE_URL")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut last_word = || printed.next().unwrap().unwrap().rsplit(' ').next().unwrap().to_owned();
    let (address, token) = (last_word(), last_word());
    let done = Command::new("bash")
        .args(["-eu", "-c", &script()])
        .current_dir(desk.path(""))
        .env("SFA", &address)
        .env("SET_UP_TOKEN", &token)
        .output()
        .unwrap();
    let stopped = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    let ended = server.wait().unwrap();
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(stopped.success() && ended.success(), "it ends well when it is asked to");
    let stems = files_below(&desk.path("stems"));
    assert!(stems.iter().any(|stem| stem.contains("drums")), "{stems:?}");
}
