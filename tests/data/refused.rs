//! Every kind of bad file, and the one line said about it.

use std::{fs, path::Path};

use apical::data::{DataError, Dataset, MAX_BYTES, Split};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, gzip, idx, raw, small};

/// The complaint about a directory: one line that names `culprit`.
fn complaint(directory: &Path, culprit: &str) -> DataError {
    let error = Dataset::load(directory).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(culprit), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    error
}

/// The complaint about the small data set with other bytes in one of its files.
fn spoilt(name: &str, bytes: &[u8]) -> DataError {
    let folder = raw();
    fs::write(folder.path().join(name), bytes).unwrap();
    complaint(folder.path(), name)
}

macro_rules! assert_refused {
    ($error:expr, $kind:pat) => {
        let error = $error;
        assert!(matches!(error, $kind), "{error:?}");
    };
}

#[test]
fn a_missing_directory_is_named() {
    let folder = raw();
    let error = complaint(&folder.path().join("nowhere"), "nowhere");
    assert_refused!(error, DataError::MissingDirectory { .. });
    let error = complaint(&folder.path().join(TEST_LABELS), TEST_LABELS);
    assert_refused!(error, DataError::MissingDirectory { .. });
}

#[test]
fn a_missing_file_is_named() {
    for (name, _) in small() {
        let folder = raw();
        fs::remove_file(folder.path().join(name)).unwrap();
        assert_refused!(complaint(folder.path(), name), DataError::MissingFile { .. });
    }
}

#[test]
fn a_directory_in_place_of_a_file_is_refused() {
    let folder = raw();
    let path = folder.path().join(TEST_IMAGES);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = complaint(folder.path(), TEST_IMAGES);
    assert_refused!(error, DataError::NotAFile { .. });
}

/// A link to itself cannot be opened by anybody, not even by root.
#[cfg(unix)]
#[test]
fn an_unreadable_file_is_named_with_its_cause() {
    let folder = raw();
    let path = folder.path().join(TRAIN_LABELS);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(TRAIN_LABELS, &path).unwrap();
    let error = complaint(folder.path(), TRAIN_LABELS);
    assert_refused!(error, DataError::Unreadable { .. });
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    for (name, bytes) in small() {
        for length in 0..bytes.len() {
            let error = spoilt(name, &bytes[..length]);
            let found = length as u64;
            assert!(matches!(error, DataError::Truncated { found: it, .. } if it == found));
        }
    }
}

#[test]
fn bytes_after_the_last_label_are_refused() {
    for (name, mut bytes) in small() {
        let length = bytes.len() as u64;
        bytes.push(0);
        let trailing =
            |error| matches!(error, DataError::TrailingBytes { expected, .. } if expected == length);
        assert!(trailing(spoilt(name, &bytes)));
        assert!(trailing(spoilt(name, &gzip(&bytes))));
    }
}

#[test]
fn gzip_cut_anywhere_is_refused() {
    let [(name, bytes), ..] = small();
    let bytes = gzip(&bytes);
    for length in 2..bytes.len() {
        let error = spoilt(name, &bytes[..length]);
        assert_refused!(error, DataError::Truncated { .. } | DataError::BadGzip { .. });
    }
}

#[test]
fn gzip_with_a_wrong_checksum_is_damaged() {
    let [(name, bytes), ..] = small();
    let mut bytes = gzip(&bytes);
    let checksum = bytes.len() - 8;
    bytes[checksum] ^= 1;
    assert_refused!(spoilt(name, &bytes), DataError::BadGzip { .. });
}

#[test]
fn gzip_followed_by_rubbish_is_damaged() {
    let [(name, bytes), ..] = small();
    let bytes = [&gzip(&bytes)[..], b"rubbish after the end"].concat();
    assert_refused!(spoilt(name, &bytes), DataError::BadGzip { .. });
}

#[test]
fn rubbish_that_starts_like_gzip_is_damaged() {
    let error = spoilt(TRAIN_IMAGES, b"\x1f\x8b and then no gzip at all");
    assert_refused!(error, DataError::BadGzip { .. });
}

#[test]
fn labels_in_place_of_images_have_the_wrong_magic() {
    let [(images, pixels), (labels, classes), ..] = small();
    for (name, bytes) in [(images, &classes), (labels, &pixels)] {
        assert_refused!(spoilt(name, bytes), DataError::WrongMagic { .. });
    }
    let page = b"<!DOCTYPE html><title>404 Not Found</title>";
    assert_refused!(spoilt(images, page), DataError::WrongMagic { .. });
}

#[test]
fn a_label_too_many_or_too_few_is_refused() {
    for count in [23, 25] {
        let error = spoilt(TRAIN_LABELS, &idx(&[count], &vec![0; count as usize]));
        assert_refused!(error, DataError::CountMismatch { images: 24, .. });
    }
}

#[test]
fn train_and_test_images_must_have_one_size() {
    let folder = raw();
    let turned = idx(&[12, 3, 5], &[0; 12 * 15]);
    fs::write(folder.path().join(TEST_IMAGES), turned).unwrap();
    let error = complaint(folder.path(), "5 x 3 but test images 3 x 5");
    assert_refused!(error, DataError::SizeMismatch { .. });
}

#[test]
fn a_label_beyond_the_classes_asked_for_is_refused() {
    let folder = raw();
    assert!(Dataset::load_with(folder.path(), Some(12)).is_ok());
    assert_eq!(Dataset::load_with(folder.path(), Some(20)).unwrap().classes, 20);
    let error = Dataset::load_with(folder.path(), Some(11)).unwrap_err();
    assert!(error.to_string().contains("label 11 of example 11"), "{error}");
    assert_refused!(error, DataError::LabelOutOfRange { .. });
}

#[test]
fn fewer_than_2_or_more_than_256_classes_are_refused() {
    let folder = raw();
    for classes in [0, 1, 257, usize::MAX] {
        let error = Dataset::load_with(folder.path(), Some(classes)).unwrap_err();
        assert_refused!(error, DataError::ClassCount { .. });
    }
    assert!(Dataset::load_with(folder.path(), Some(256)).is_ok());
}

#[test]
fn a_test_label_that_training_lacks_is_refused() {
    for label in [12, 255] {
        let error = spoilt(TEST_LABELS, &idx(&[12], &[label; 12]));
        assert_refused!(error, DataError::LabelOutOfRange { index: 0, .. });
    }
    let folder = raw();
    let odd: Vec<u8> = (0..24).map(|example| example % 6 * 2 + 1).collect();
    fs::write(folder.path().join(TRAIN_LABELS), idx(&[24], &odd)).unwrap();
    let error = complaint(folder.path(), "label 0 of example 0");
    assert_refused!(error, DataError::UnknownLabel { .. });
}

#[test]
fn a_header_that_announces_nothing_is_refused() {
    for shape in [[0, 5, 3], [24, 0, 3], [24, 5, 0], [u32::MAX, u32::MAX, 0]] {
        let error = spoilt(TRAIN_IMAGES, &idx(&shape, &[]));
        assert_refused!(error, DataError::Empty { .. });
    }
    let error = spoilt(TRAIN_LABELS, &idx(&[0], &[]));
    assert_refused!(error, DataError::Empty { .. });
}

#[test]
fn a_header_that_announces_too_much_is_refused() {
    for shape in [[u32::MAX; 3], [1 << 30, 2, 1], [1 << 22, 1 << 21, 1 << 21]] {
        let error = spoilt(TRAIN_IMAGES, &idx(&shape, &[0; 99]));
        assert_refused!(error, DataError::TooLarge { limit: MAX_BYTES, .. });
    }
}

#[test]
fn a_header_that_announces_all_that_is_allowed_reserves_nothing() {
    let error = spoilt(TRAIN_IMAGES, &idx(&[1 << 30, 1, 1], &[0; 99]));
    assert_refused!(error, DataError::Truncated { found: 115, .. });
}

#[test]
fn a_gzip_bomb_is_left_alone_after_one_byte_too_many() {
    let bomb = gzip(&idx(&[24, 5, 3], &vec![0; 1 << 24]));
    assert!(bomb.len() < 1 << 15);
    assert_refused!(spoilt(TRAIN_IMAGES, &bomb), DataError::TrailingBytes { expected: 376, .. });
}

#[cfg(unix)]
#[test]
fn a_line_break_in_a_path_does_not_break_the_message() {
    let folder = TempDir::new().unwrap();
    let directory = folder.path().join("two\nlines");
    let error = complaint(&directory, r"two\nlines");
    assert_refused!(error, DataError::MissingDirectory { .. });
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(images: Vec<u8>, labels: Vec<u8>, start in 0..4) {
        let start: &[u8] = match start {
            0 => &[],
            1 => &[0, 0, 8, 3],
            2 => &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
            _ => &[0x1f, 0x8b, 8, 0],
        };
        let folder = TempDir::new().unwrap();
        let paths = [TRAIN_IMAGES, TRAIN_LABELS].map(|name| folder.path().join(name));
        fs::write(&paths[0], [start, &images].concat()).unwrap();
        fs::write(&paths[1], idx(&[1], &labels)).unwrap();
        if let Err(error) = Split::load(&paths[0], &paths[1]) {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }
}
