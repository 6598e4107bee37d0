//! Files that come in several requests.

use std::time::Duration;

use sfa_core::library::{LibraryErrorKind, OpenUpload, UploadId};

use crate::{Desk, cases, kind_of};

cases![an_upload_is_its_users, an_upload_ends_with_its_time, a_finished_upload_is_not_awaited,];

const HOUR: Duration = Duration::from_secs(3600);

async fn open(desk: &Desk, lifetime: Duration) -> OpenUpload {
    let upload = desk.database.add_upload(desk.ann, "a.wav", 10, lifetime).await.unwrap();
    assert_eq!((upload.file_name.as_str(), upload.size_bytes, upload.track), ("a.wav", 10, None));
    upload
}

async fn an_upload_is_its_users(desk: Desk) {
    let upload = open(&desk, HOUR).await;
    assert_eq!(desk.database.upload(desk.ann, upload.id).await.unwrap(), upload);
    assert_eq!(desk.database.uploads(desk.ann).await.unwrap(), std::slice::from_ref(&upload));
    assert!(desk.database.uploads(desk.ben).await.unwrap().is_empty());
    let missing = Some(LibraryErrorKind::NotFound);
    assert_eq!(kind_of(desk.database.upload(desk.ben, upload.id).await), missing);
    assert_eq!(kind_of(desk.database.prolong_upload(desk.ben, upload.id, HOUR).await), missing);
    assert_eq!(kind_of(desk.database.remove_upload(desk.ben, upload.id).await), missing);
    assert_eq!(kind_of(desk.database.upload(desk.ann, UploadId::random()).await), missing);
    desk.database.remove_upload(desk.ann, upload.id).await.unwrap();
    assert_eq!(kind_of(desk.database.upload(desk.ann, upload.id).await), missing);
    let nothing = desk.database.add_upload(desk.ann, "a.wav", 0, HOUR).await;
    assert_eq!(kind_of(nothing), Some(LibraryErrorKind::Invalid));
}

async fn an_upload_ends_with_its_time(desk: Desk) {
    let kept = open(&desk, HOUR).await;
    let longer = desk.database.prolong_upload(desk.ann, kept.id, 2 * HOUR).await.unwrap();
    assert!(longer.expires_at_ms >= kept.expires_at_ms + 3_600_000);
    let over = open(&desk, Duration::ZERO).await;
    let missing = Some(LibraryErrorKind::NotFound);
    assert_eq!(kind_of(desk.database.upload(desk.ann, over.id).await), missing);
    assert_eq!(kind_of(desk.database.prolong_upload(desk.ann, over.id, HOUR).await), missing);
    assert_eq!(desk.database.awaited_uploads().await.unwrap(), [kept.id]);
    desk.database.prune(HOUR, HOUR).await.unwrap();
    assert_eq!(kind_of(desk.database.remove_upload(desk.ann, over.id).await), missing, "its row is gone");
    assert!(desk.database.upload(desk.ann, kept.id).await.is_ok());
}

async fn a_finished_upload_is_not_awaited(desk: Desk) {
    let upload = open(&desk, HOUR).await;
    let track = desk.track(desk.ann, "a").await;
    desk.database.finish_upload(desk.ann, upload.id, track).await.unwrap();
    assert_eq!(desk.database.upload(desk.ann, upload.id).await.unwrap().track, Some(track));
    assert!(desk.database.awaited_uploads().await.unwrap().is_empty());
}
