//! Without any network: finding, importing, checking and removing.

use std::fs;

use sfa_core::models::{ModelStore, Place, Placement, Trust};
use sfa_core::{ErrorKind, Watch};

use crate::desk::{Desk, fixture, fixture_path};

fn desk() -> Desk {
    Desk::new("http://127.0.0.1:9")
}

#[test]
fn a_missing_model_is_an_error_that_ends_in_what_mends_it() {
    let desk = desk();
    let bag = desk.bag("small");
    let error = desk.store.find(bag, &bag.networks[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    let text = error.to_string();
    assert!(text.starts_with("model small: "), "{text}");
    assert!(
        text.contains("`sfa models pull small`") && text.contains("`sfa models import small FILE`"),
        "{text}"
    );
    assert!(!desk.store.folder().exists());
}

#[test]
fn an_unknown_name_is_told_with_those_there_are() {
    let error = desk().store.bag("large").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains("small, pair"), "{error}");
}

#[test]
fn our_folder_comes_first_then_the_hub_then_torch() {
    let desk = desk();
    let bag = desk.bag("small");
    let find = || desk.store.find(bag, &bag.networks[0]).unwrap();
    let torch = desk.copy("ht.th", "checkpoints/aaaaaaaa-00000001.th");
    assert_eq!(find(), torch);
    assert_eq!(desk.status("small").networks[0].file.as_ref().unwrap().place, Place::TorchCache);
    let revision = "hub/models--someone--Small/snapshots/0123abcd";
    let hub = desk.copy("ht.safetensors", &format!("{revision}/aaaaaaaa.safetensors"));
    assert_eq!(find(), hub);
    for name in ["aaaaaaaa.th", "aaaaaaaa-00000001.th", "aaaaaaaa.safetensors"] {
        let ours = desk.copy("ht.th", &format!("models/{name}"));
        assert_eq!(find(), ours);
    }
}

#[test]
fn the_hub_s_main_revision_comes_before_others() {
    let desk = desk();
    let bag = desk.bag("small");
    let find = || desk.store.find(bag, &bag.networks[0]).unwrap();
    let hub = "hub/models--someone--Small";
    let main = desk.copy("ht.safetensors", &format!("{hub}/snapshots/0a/aaaaaaaa.safetensors"));
    let other = desk.copy("ht.safetensors", &format!("{hub}/snapshots/0b/aaaaaaaa.safetensors"));
    fs::create_dir_all(desk.path(&format!("{hub}/refs"))).unwrap();
    for (text, expected) in [("0a\n", &main), ("0b", &other)] {
        fs::write(desk.path(&format!("{hub}/refs/main")), text).unwrap();
        assert_eq!(&find(), expected);
    }
    // What is no revision is not followed out of the folder.
    fs::write(desk.path(&format!("{hub}/refs/main")), "../../../elsewhere").unwrap();
    desk.copy("ht.safetensors", "elsewhere/aaaaaaaa.safetensors");
    assert!(find().starts_with(desk.path(hub)));
}

#[test]
fn a_published_file_is_taken_under_its_name_whatever_it_was_called() {
    let desk = desk();
    let source = desk.copy("ht.th", "downloads/my model (1).th");
    let imported = desk.store.import(desk.bag("small"), &[source], false, &Watch::new()).unwrap();
    assert!(imported[0].verified);
    assert_eq!(desk.files(), ["aaaaaaaa-00000001.th"]);
    let status = desk.status("small");
    assert!(status.ready);
    assert_eq!(status.trust(), Some(Trust::Verified));
    assert_eq!(fs::read(&imported[0].path).unwrap(), fixture("ht.th"));
}

#[test]
fn a_second_import_finds_it_there() {
    let desk = desk();
    let source = fixture_path("ht.safetensors");
    let import = || desk.store.import(desk.bag("small"), std::slice::from_ref(&source), false, &Watch::new());
    assert_ne!(import().unwrap()[0].placement, Placement::AlreadyThere);
    assert_eq!(import().unwrap()[0].placement, Placement::AlreadyThere);
    assert_eq!(desk.files(), ["aaaaaaaa.safetensors"]);
}

#[test]
fn a_file_with_another_checksum_needs_the_flag() {
    let desk = desk();
    let source = desk.copy("ht_other.safetensors", "aaaaaaaa.safetensors");
    let bag = desk.bag("small");
    let error = desk.store.import(bag, std::slice::from_ref(&source), false, &Watch::new()).unwrap_err();
    // Its checksum says that it is another bag's, whatever its name says.
    assert!(error.message().contains("sfa models import pair"), "{error}");
    let mut bytes = fixture("ht_other.safetensors");
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&source, bytes).unwrap();
    let error = desk.store.import(bag, std::slice::from_ref(&source), false, &Watch::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    assert!(error.message().contains("--unverified"), "{error}");
    assert!(desk.files().is_empty());
    let imported = desk.store.import(bag, &[source], true, &Watch::new()).unwrap();
    assert!(!imported[0].verified);
    assert_eq!(desk.status("small").trust(), Some(Trust::Unverified));
}

/// A model of the right kind whose bytes nobody has published.
fn unpublished(desk: &Desk, name: &str) -> std::path::PathBuf {
    let path = desk.path(name);
    let mut bytes = fixture("ht.safetensors");
    let last = bytes.len() - 1 - name.len();
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn unverified_files_are_told_apart_by_name_or_else_by_order() {
    let desk = desk();
    let bag = desk.bag("pair");
    let import = |names: [&str; 2]| {
        let files = names.map(|name| unpublished(&desk, name));
        let imported = desk.store.import(bag, &files, true, &Watch::new()).unwrap();
        imported.iter().map(|file| file.signature).collect::<Vec<_>>()
    };
    assert_eq!(import(["x.safetensors", "yy.safetensors"]), ["bbbbbbbb", "cccccccc"]);
    assert_eq!(import(["CCCCCCCC-v2.safetensors", "bbbbbbbb.safetensors"]), ["cccccccc", "bbbbbbbb"]);
    let lone = unpublished(&desk, "lone.safetensors");
    let error = desk.store.import(bag, &[lone], true, &Watch::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains("bbbbbbbb, cccccccc"), "{error}");
    let twice = [unpublished(&desk, "bbbbbbbb.a.safetensors"), unpublished(&desk, "bbbbbbbb.safetensors")];
    let error = desk.store.import(bag, &twice, true, &Watch::new()).unwrap_err();
    assert!(error.message().contains("one file for each"), "{error}");
}

#[test]
fn an_unverified_archive_gets_the_name_that_promises_nothing() {
    let desk = desk();
    let mut bytes = fixture("ht.th");
    // The time of its first entry, which nobody reads.
    bytes[10] ^= 1;
    let source = desk.path("aaaaaaaa-00000001.th");
    fs::write(&source, bytes).unwrap();
    let imported = desk.store.import(desk.bag("small"), &[source], true, &Watch::new()).unwrap();
    assert!(!imported[0].verified);
    assert_eq!(desk.files(), ["aaaaaaaa.th"]);
}

#[test]
fn a_file_of_another_bag_is_refused_even_unverified() {
    let desk = desk();
    for source in [
        desk.copy("ht_other.safetensors", "aaaaaaaa.safetensors"),
        unpublished(&desk, "cccccccc.safetensors"),
    ] {
        let error = desk.store.import(desk.bag("small"), &[source], true, &Watch::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.message().contains("`sfa models import pair FILE`"), "{error}");
    }
    assert!(desk.files().is_empty());
}

#[test]
fn what_is_no_model_of_this_kind_is_refused_even_unverified() {
    let desk = desk();
    let bag = desk.bag("small");
    let text = desk.path("list.safetensors");
    fs::write(&text, "milk, bread, butter and some more things to carry home").unwrap();
    let mut cut = fixture("ht.safetensors");
    cut.truncate(cut.len() - 100);
    fs::write(desk.path("cut.safetensors"), cut).unwrap();
    for (source, expected) in [
        (text, ""),
        (desk.path("cut.safetensors"), ""),
        (fixture_path("hybrid.safetensors"), "this is a HDemucs for"),
        (fixture_path("ht_six.safetensors"), "guitar"),
    ] {
        let error = desk.store.import(bag, &[source], true, &Watch::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
        assert!(error.message().contains(expected), "{error}");
    }
    assert!(desk.files().is_empty());
}

#[test]
fn a_network_has_one_file_and_the_last_import_is_it() {
    let desk = desk();
    let bag = desk.bag("small");
    let import = |file, unverified| desk.store.import(bag, &[file], unverified, &Watch::new()).unwrap();
    import(fixture_path("ht.safetensors"), false);
    let imported = import(fixture_path("ht.th"), false);
    assert_eq!(imported[0].replaced, [desk.store.folder().join("aaaaaaaa.safetensors")]);
    assert_eq!(desk.files(), ["aaaaaaaa-00000001.th"]);
    import(unpublished(&desk, "mine.safetensors"), true);
    assert_eq!(desk.files(), ["aaaaaaaa.safetensors"]);
}

#[cfg(unix)]
#[test]
fn a_link_as_the_hub_keeps_them_is_followed() {
    let desk = desk();
    let blob = desk.copy("ht.safetensors", "blobs/d9fa");
    let link = desk.path("aaaaaaaa.safetensors");
    std::os::unix::fs::symlink(&blob, &link).unwrap();
    let imported = desk.store.import(desk.bag("small"), &[link], false, &Watch::new()).unwrap();
    fs::remove_dir_all(desk.path("blobs")).unwrap();
    assert_eq!(fs::read(&imported[0].path).unwrap(), fixture("ht.safetensors"));
}

#[test]
fn a_stopped_import_leaves_nothing() {
    let desk = desk();
    let watch = Watch::new();
    watch.stop();
    let error = desk.store.import(desk.bag("small"), &[fixture_path("ht.th")], false, &watch).unwrap_err();
    assert!(error.is_cancelled());
    assert!(!desk.store.folder().exists());
}

#[test]
fn verify_tells_published_imported_and_changed_files_apart() {
    let desk = desk();
    let bag = desk.bag("small");
    let check = || desk.store.verify(bag, &Watch::new()).unwrap();
    assert!(check().is_empty());
    let torch = desk.copy("ht.th", "checkpoints/aaaaaaaa-00000001.th");
    assert_eq!(desk.status("small").trust(), Some(Trust::Unchecked));
    let checked = check();
    assert_eq!((checked[0].file.trust, &checked[0].problem), (Trust::Verified, &None));
    fs::write(&torch, b"PK cut off").unwrap();
    let problem = check()[0].problem.clone().unwrap();
    assert!(problem.contains("delete it from that cache"), "{problem}");

    let mine = unpublished(&desk, "mine.safetensors");
    desk.store.import(bag, &[mine], true, &Watch::new()).unwrap();
    let checked = check();
    assert_eq!((checked[0].file.trust, &checked[0].problem), (Trust::Unverified, &None));
    let path = &checked[0].file.path;
    fs::remove_file(path).unwrap();
    fs::write(path, "changed").unwrap();
    assert_eq!(desk.status("small").trust(), Some(Trust::Unchecked));
    let problem = check()[0].problem.clone().unwrap();
    assert!(problem.contains("`sfa models rm small`"), "{problem}");
}

#[test]
fn a_cache_is_remembered_as_verified_once_the_store_exists() {
    let desk = desk();
    desk.store.import(desk.bag("small"), &[fixture_path("ht.th")], false, &Watch::new()).unwrap();
    desk.copy("ht_other.safetensors", "hub/models--someone--Pair/snapshots/1/cccccccc.safetensors");
    assert_eq!(desk.status("pair").trust(), Some(Trust::Unchecked));
    desk.store.verify(desk.bag("pair"), &Watch::new()).unwrap();
    let status = desk.status("pair");
    assert_eq!((status.trust(), status.ready), (Some(Trust::Verified), false));
}

#[test]
fn remove_takes_our_files_only() {
    let desk = desk();
    let bag = desk.bag("small");
    let torch = desk.copy("ht.th", "checkpoints/aaaaaaaa-00000001.th");
    desk.store.import(bag, &[fixture_path("ht.safetensors")], false, &Watch::new()).unwrap();
    let foreign = desk.store.folder().join("notes.txt");
    fs::write(&foreign, "keep me").unwrap();
    let removed = desk.store.remove(bag).unwrap();
    assert_eq!(removed.files, [desk.store.folder().join("aaaaaaaa.safetensors")]);
    assert_eq!(removed.bytes, fixture("ht.safetensors").len() as u64);
    assert_eq!(removed.left, std::slice::from_ref(&torch));
    assert!(torch.is_file());
    assert_eq!(desk.files(), ["notes.txt"]);
    assert!(desk.store.remove(bag).unwrap().files.is_empty());
}

#[test]
fn the_official_table_is_known_by_default() {
    let folder = tempfile::tempdir().unwrap();
    let status = ModelStore::at(folder.path()).status();
    let names: Vec<&str> = status.iter().map(|bag| bag.name).collect();
    assert_eq!(names, ["htdemucs", "htdemucs_ft", "htdemucs_6s", "hdemucs_mmi", "mdx_extra"]);
    assert!(status.iter().all(|bag| !bag.ready && bag.trust().is_none()));
    assert_eq!(status[0].download_bytes, Some(84_025_440));
    assert_eq!(status[1].download_bytes, Some(4 * 84_141_271));
}
