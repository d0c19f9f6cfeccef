//! The data module: good files load, and every kind of bad file is refused in one clear line.

use std::{fs, io::Write};

use apical::aligned::Aligned;
use apical::data::{Dataset, Split, default_directory, describe};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

#[path = "data/refused.rs"]
mod refused;

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// A file with a true header; what follows it is the caller's.
fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let magic = 0x0800 | shape.len() as u32;
    let header = [&[magic], shape].concat();
    let header: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    [&header, bytes].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A small data set that is not MNIST: 24 + 12 images of 5 rows by 3 columns in 12 classes.
fn small() -> [(&'static str, Vec<u8>); 4] {
    let pixels: Vec<u8> = (0..24 * 15).map(|pixel| (pixel % 251) as u8).collect();
    let labels: Vec<u8> = (0..24).map(|example| example % 12).collect();
    [
        (TRAIN_IMAGES, idx(&[24, 5, 3], &pixels)),
        (TRAIN_LABELS, idx(&[24], &labels)),
        (TEST_IMAGES, idx(&[12, 5, 3], &pixels[..12 * 15])),
        (TEST_LABELS, idx(&[12], &labels[..12])),
    ]
}

/// Writes the small data set, each file as `name` and `bytes` would have it.
fn folder(name: impl Fn(&str) -> String, bytes: impl Fn(&[u8]) -> Vec<u8>) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (file, content) in small() {
        fs::write(folder.path().join(name(file)), bytes(&content)).unwrap();
    }
    folder
}

fn raw() -> TempDir {
    folder(str::to_string, <[u8]>::to_vec)
}

#[test]
fn any_image_size_and_number_of_classes_loads() {
    let folder = raw();
    let dataset = Dataset::load(folder.path()).unwrap();
    assert_eq!((dataset.train.rows, dataset.train.columns), (5, 3));
    assert_eq!((dataset.train.len(), dataset.test.len()), (24, 12));
    assert_eq!((dataset.train.pixels(), dataset.classes), (15, 12));
    assert_eq!(dataset.train.image(1), (15..30).collect::<Vec<u8>>());
    assert_eq!(dataset.train.label(13), 1);
    assert_eq!(dataset.directory, folder.path());
}

#[test]
fn examples_come_in_the_order_of_the_files() {
    let dataset = Dataset::load(raw().path()).unwrap();
    assert_eq!(dataset.test.iter().len(), 12);
    for (index, (image, label)) in dataset.test.iter().enumerate() {
        assert_eq!(image, dataset.test.image(index));
        assert_eq!(usize::from(label), index);
    }
}

#[test]
fn raw_and_gzipped_files_are_the_same_data_whatever_they_are_called() {
    let expected = Dataset::load(raw().path()).unwrap();
    let folders = [
        folder(|name| format!("{name}.gz"), gzip),
        folder(str::to_string, gzip),
        folder(|name| format!("{name}.gz"), <[u8]>::to_vec),
        folder(|name| name.replace("-idx", ".idx"), <[u8]>::to_vec),
        folder(|name| name.replace("-idx", ".idx") + ".gz", gzip),
    ];
    for folder in folders {
        let dataset = Dataset::load(folder.path()).unwrap();
        assert_eq!(dataset.train, expected.train);
        assert_eq!(dataset.test, expected.test);
        assert_eq!(dataset.sha256, expected.sha256);
    }
}

#[test]
fn a_gzip_file_may_have_several_members() {
    let folder = raw();
    let [(name, bytes), ..] = small();
    let members = [gzip(&bytes[..20]), gzip(&bytes[20..])].concat();
    fs::write(folder.path().join(name), members).unwrap();
    assert!(Dataset::load(folder.path()).is_ok());
}

#[test]
fn the_hash_is_that_of_the_decoded_files_in_order() {
    let decoded = small().map(|(_, bytes)| bytes).concat();
    let expected = format!("{:x}", Sha256::digest(decoded));
    assert_eq!(Dataset::load(raw().path()).unwrap().sha256, expected);
}

#[test]
fn a_single_label_still_makes_two_classes() {
    let folder = raw();
    for (name, count) in [(TRAIN_LABELS, 24), (TEST_LABELS, 12)] {
        let labels = idx(&[count], &vec![0; count as usize]);
        fs::write(folder.path().join(name), labels).unwrap();
    }
    assert_eq!(Dataset::load(folder.path()).unwrap().classes, 2);
}

#[test]
fn a_directory_beside_the_file_of_another_spelling_is_passed_over() {
    let folder = folder(|name| name.replace("-idx", ".idx"), <[u8]>::to_vec);
    fs::create_dir(folder.path().join(TEST_IMAGES)).unwrap();
    assert!(Dataset::load(folder.path()).is_ok());
}

#[test]
fn the_shipped_mnist_is_mnist() {
    let dataset = Dataset::load_with(&default_directory(), Some(10)).unwrap();
    assert_eq!((dataset.train.len(), dataset.test.len()), (60_000, 10_000));
    assert_eq!((dataset.train.rows, dataset.train.columns), (28, 28));
    let train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    let test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    assert_eq!(dataset.train.label_counts()[..10], train);
    assert_eq!(dataset.test.label_counts()[..10], test);
    assert_eq!(dataset.train.labels[..8], [5, 0, 4, 1, 9, 2, 1, 3]);
    // Made by `gzip -dc` of the four files in order, piped into `sha256sum`.
    let expected = "b2d8f5bf39174ee5ffeefa97e42d673c35432b411bb5d1f74fbbeddae7f1690a";
    assert_eq!(dataset.sha256, expected);
}

#[test]
fn the_shipped_files_match_their_recorded_hashes() {
    let directory = default_directory();
    let sums = fs::read_to_string(directory.join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 4);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let bytes = fs::read(directory.join(name)).unwrap();
        assert_eq!(format!("{:x}", Sha256::digest(bytes)), sum, "{name}");
    }
}

#[test]
fn a_description_fits_a_page_of_100_columns() {
    let mut dataset = Dataset::load(&default_directory()).unwrap();
    dataset.directory = "data/mnist".into();
    let text = describe(&dataset, 10);
    for fact in ["60000", "10000", "5923", "1135", "11.24", &dataset.sha256] {
        assert!(text.contains(fact), "{fact} in\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn a_drawing_has_the_shade_of_its_pixels_and_the_label_below() {
    #[rustfmt::skip]
    let images = vec![
        255, 0, 0,
        255, 0, 0,
        0, 0, 110,
        0, 0, 110,

        0, 160, 0,
        0, 160, 0,
        0, 0, 60,
        0, 0, 60,
    ];
    let split = Split { images: Aligned::from(&images[..]), labels: vec![7, 11], rows: 4, columns: 3 };
    let mut dataset = Dataset::load(raw().path()).unwrap();
    dataset.train = split;
    let text = describe(&dataset, 99);
    let drawn = text.split("the first 2 of train\n\n").nth(1).unwrap();
    assert_eq!(drawn, "█     ▓\n  ▒    ░\n 7   11\n");
    assert!(!describe(&dataset, 0).contains("the first"));
}

#[test]
fn images_wider_than_a_page_are_shrunk_to_it() {
    let mut dataset = Dataset::load(raw().path()).unwrap();
    dataset.train = Split { images: Aligned::filled(255, 250 * 8), labels: vec![3], rows: 8, columns: 250 };
    let text = describe(&dataset, 1);
    assert_eq!(text.lines().filter(|line| *line == "█".repeat(84)).count(), 2);
}
