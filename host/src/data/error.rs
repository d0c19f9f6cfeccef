//! What can be wrong with a data set, each in one line: what, where, and what to do.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a data set was refused.
///
/// Paths are printed quoted and escaped, so that a message stays one line whatever a file is
/// called. The cause of an I/O error is part of the message and so not repeated as its source.
#[derive(Debug, Error)]
pub enum DataError {
    /// The directory is not there.
    #[error("no directory {directory:?}: name the one that holds the four IDX files")]
    MissingDirectory { directory: PathBuf },

    /// The directory lacks one of the four files.
    #[error("no file {name} or {name}.gz in {directory:?}: all four IDX files must be there")]
    MissingFile { directory: PathBuf, name: String },

    /// The operating system refuses to read the file.
    #[error("cannot read {path:?} ({cause}): check its permissions and the disk")]
    Unreadable { path: PathBuf, cause: io::Error },

    /// The path names a directory, a pipe or a device.
    #[error("{path:?} is not a regular file: put the IDX file itself in its place")]
    NotAFile { path: PathBuf },

    /// The file starts like gzip, and then is not.
    #[error("{path:?} is damaged gzip ({cause}): fetch it again")]
    BadGzip { path: PathBuf, cause: io::Error },

    /// The file ends too early.
    #[error("{path:?} is cut short, {found} of {expected} bytes are there: fetch it again")]
    Truncated { path: PathBuf, expected: u64, found: u64 },

    /// The file does not end where its header says.
    #[error("{path:?} goes on after the {expected} bytes its header announces: fetch it again")]
    TrailingBytes { path: PathBuf, expected: u64 },

    /// The file is something else, perhaps labels in the place of images.
    #[error(
        "{path:?} starts with {found:#010x} instead of {expected:#010x}: \
         it must be IDX {}", content(*.expected)
    )]
    WrongMagic { path: PathBuf, expected: u32, found: u32 },

    /// A dimension is zero: there is nothing to learn from.
    #[error("{path:?} announces {shape} bytes, which is nothing: give at least one image")]
    Empty { path: PathBuf, shape: String },

    /// The header announces more than any data set needs.
    #[error("{path:?} announces {shape} bytes, over the limit of {limit}: use fewer images")]
    TooLarge { path: PathBuf, shape: String, limit: u64 },

    /// There are not as many labels as images.
    #[error("{images} images in {images_path:?} but {labels} labels in {labels_path:?}: pair them")]
    CountMismatch { images_path: PathBuf, labels_path: PathBuf, images: usize, labels: usize },

    /// Training and test images differ in rows or columns.
    #[error(
        "train images are {} x {} but test images {} x {} in {directory:?}: give both one size",
        train.0, train.1, test.0, test.1
    )]
    SizeMismatch { directory: PathBuf, train: (usize, usize), test: (usize, usize) },

    /// A network cannot have this number of classes.
    #[error("{classes} classes asked for: choose 2 to 256")]
    ClassCount { classes: usize },

    /// A label is not below the number of classes.
    #[error(
        "label {label} of example {index} in {path:?} is out of range: \
         with {classes} classes labels go from 0 to {}", classes - 1
    )]
    LabelOutOfRange { path: PathBuf, index: usize, label: u8, classes: usize },

    /// A test example belongs to a class that no training example shows.
    #[error("label {label} of example {index} in {path:?} never occurs in training: add examples")]
    UnknownLabel { path: PathBuf, index: usize, label: u8 },
}

/// What a file of this magic number holds.
fn content(magic: u32) -> &'static str {
    match magic & 0xff {
        1 => "labels (unsigned bytes, 1 dimension)",
        _ => "images (unsigned bytes, 3 dimensions)",
    }
}
