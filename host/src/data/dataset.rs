//! Training and test examples, and the rules they must keep together.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{DataError, idx};
use crate::aligned::Aligned;

/// Labels are bytes, so there are never more classes than this.
pub const MAX_CLASSES: usize = 256;

/// Images and their labels, in the order of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// All images one after another, each row by row; 0 is background and 255 full ink.
    pub images: Aligned<u8>,
    /// One label per image.
    pub labels: Vec<u8>,
    /// Rows of every image.
    pub rows: usize,
    /// Columns of every image.
    pub columns: usize,
}

impl Split {
    /// Reads a file of images and the file of their labels.
    ///
    /// # Errors
    ///
    /// Any [`DataError`] about one file, or [`DataError::CountMismatch`] about the two.
    pub fn load(images_path: &Path, labels_path: &Path) -> Result<Self, DataError> {
        let ([count, rows, columns], images) = idx::read::<3>(images_path)?;
        let (_, labels) = idx::read::<1>(labels_path)?;
        if labels.len() != count {
            return Err(DataError::CountMismatch {
                images_path: images_path.into(),
                labels_path: labels_path.into(),
                images: count,
                labels: labels.len(),
            });
        }
        Ok(Self { images, labels: labels.to_vec(), rows, columns })
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no example; never so for a split that was loaded.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of pixels in an image: rows × columns.
    pub fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// The pixels of one image, row by row.
    ///
    /// # Panics
    ///
    /// If there is no such image, as with any slice.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * self.pixels()..][..self.pixels()]
    }

    /// The label of one image.
    ///
    /// # Panics
    ///
    /// If there is no such image, as with any slice.
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// All images in order.
    pub fn each_image(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        // A split made by hand may have no pixels, and chunks of none do not exist.
        self.images.chunks_exact(self.pixels().max(1))
    }

    /// All examples in order: image and label.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], u8)> {
        self.each_image().zip(self.labels.iter().copied())
    }

    /// How many examples each label has, from label 0 to label 255.
    pub fn label_counts(&self) -> [usize; MAX_CLASSES] {
        let mut counts = [0; MAX_CLASSES];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// Feeds a hash with the two files this split was read from, header and all.
    fn digest(&self, hash: &mut Sha256) {
        let word = |size: usize| (size as u32).to_be_bytes();
        hash.update(idx::magic(3).to_be_bytes());
        for size in [self.len(), self.rows, self.columns] {
            hash.update(word(size));
        }
        hash.update(&*self.images);
        hash.update(idx::magic(1).to_be_bytes());
        hash.update(word(self.len()));
        hash.update(&self.labels);
    }

    /// The first example whose label is not one of `known`.
    fn find_label_outside(&self, known: impl Fn(u8) -> bool) -> Option<(usize, u8)> {
        let mut labels = self.labels.iter().copied().enumerate();
        labels.find(|&(_, label)| !known(label))
    }
}

/// A training split and a test split that fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What the network learns from.
    pub train: Split,
    /// What it is judged by.
    pub test: Split,
    /// Labels are below this; from 2 to [`MAX_CLASSES`].
    pub classes: usize,
    /// SHA-256 in hexadecimal over the decoded files: train images, train labels, test images,
    /// test labels. The same whether they were gzipped or not.
    pub sha256: String,
    /// Where the files are.
    pub directory: PathBuf,
}

impl Dataset {
    /// Reads the four files of a directory; the largest training label gives the classes.
    ///
    /// # Errors
    ///
    /// The first [`DataError`] met.
    pub fn load(directory: &Path) -> Result<Self, DataError> {
        Self::load_with(directory, None)
    }

    /// Reads the four files of a directory and holds their labels against a number of classes.
    ///
    /// # Errors
    ///
    /// The first [`DataError`] met.
    pub fn load_with(directory: &Path, classes: Option<usize>) -> Result<Self, DataError> {
        let paths = Paths::find(directory)?;
        let train = Split::load(&paths.train_images, &paths.train_labels)?;
        let test = Split::load(&paths.test_images, &paths.test_labels)?;
        check_sizes(directory, &train, &test)?;
        let classes = match classes {
            Some(classes) => check_classes(classes)?,
            None => classes_of(&train),
        };
        check_labels(&train, &paths.train_labels, classes)?;
        check_labels(&test, &paths.test_labels, classes)?;
        check_known(&train, &test, &paths.test_labels)?;
        Ok(Self { sha256: sha256(&[&train, &test]), directory: directory.into(), train, test, classes })
    }
}

/// One more than the largest label, and at least two.
fn classes_of(train: &Split) -> usize {
    let largest = train.labels.iter().copied().max().unwrap_or(0);
    (usize::from(largest) + 1).max(2)
}

fn check_classes(classes: usize) -> Result<usize, DataError> {
    match classes {
        2..=MAX_CLASSES => Ok(classes),
        _ => Err(DataError::ClassCount { classes }),
    }
}

fn check_sizes(directory: &Path, train: &Split, test: &Split) -> Result<(), DataError> {
    let [train, test] = [train, test].map(|split| (split.rows, split.columns));
    match train == test {
        true => Ok(()),
        false => Err(DataError::SizeMismatch { directory: directory.into(), train, test }),
    }
}

fn check_labels(split: &Split, path: &Path, classes: usize) -> Result<(), DataError> {
    match split.find_label_outside(|label| usize::from(label) < classes) {
        None => Ok(()),
        Some((index, label)) => Err(DataError::LabelOutOfRange { path: path.into(), index, label, classes }),
    }
}

fn check_known(train: &Split, test: &Split, path: &Path) -> Result<(), DataError> {
    let counts = train.label_counts();
    match test.find_label_outside(|label| counts[usize::from(label)] > 0) {
        None => Ok(()),
        Some((index, label)) => Err(DataError::UnknownLabel { path: path.into(), index, label }),
    }
}

fn sha256(splits: &[&Split]) -> String {
    let mut hash = Sha256::new();
    for split in splits {
        split.digest(&mut hash);
    }
    format!("{:x}", hash.finalize())
}

/// The four files of a directory, under the names they have there.
struct Paths {
    train_images: PathBuf,
    train_labels: PathBuf,
    test_images: PathBuf,
    test_labels: PathBuf,
}

impl Paths {
    fn find(directory: &Path) -> Result<Self, DataError> {
        check_directory(directory)?;
        Ok(Self {
            train_images: find_file(directory, "train-images", "idx3-ubyte")?,
            train_labels: find_file(directory, "train-labels", "idx1-ubyte")?,
            test_images: find_file(directory, "t10k-images", "idx3-ubyte")?,
            test_labels: find_file(directory, "t10k-labels", "idx1-ubyte")?,
        })
    }
}

fn check_directory(directory: &Path) -> Result<(), DataError> {
    let path = directory.to_path_buf();
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(DataError::Unreadable { path, cause }),
        _ => Err(DataError::MissingDirectory { directory: path }),
    }
}

/// Looks for a file under each spelling in use: with `-` or `.` inside, with and without `.gz`.
fn find_file(directory: &Path, stem: &str, suffix: &str) -> Result<PathBuf, DataError> {
    let spellings = ["-", "."].map(|dash| format!("{stem}{dash}{suffix}"));
    let paths =
        spellings.iter().flat_map(|name| [directory.join(name), directory.join(format!("{name}.gz"))]);
    // Some archives unpack into a directory of the same name beside the file. What is there but
    // is no file, or cannot be looked at, is left to the reader to complain about.
    let found = paths
        .clone()
        .find(|path| path.is_file())
        .or_else(|| paths.clone().find(|path| path.try_exists().unwrap_or(true)));
    found.ok_or_else(|| DataError::MissingFile { directory: directory.into(), name: spellings[0].clone() })
}
