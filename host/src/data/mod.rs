//! The images a network learns: four IDX files, checked, counted and described.
//!
//! An IDX file is a big-endian header and then bytes, with nothing in between:
//!
//! | file   | magic        | header after the magic     | then                     |
//! |--------|--------------|----------------------------|--------------------------|
//! | images | `0x00000803` | count, rows, columns (u32) | count × rows × columns   |
//! | labels | `0x00000801` | count (u32)                | count                    |
//!
//! Source: Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*,
//! section "File formats". Any image size and any number of classes up to 256 will do; the files
//! may be gzipped or not, which is told from their first two bytes and not from their names.
//!
//! Files are not trusted: no memory is reserved on the word of a header, a file is read at most
//! one byte beyond what its header announces, and nothing in a file makes the reader panic.

mod dataset;
mod describe;
mod draw;
mod error;
mod idx;

use std::path::{Path, PathBuf};

pub use dataset::{Dataset, MAX_CLASSES, Split};
pub use describe::describe;
pub use error::DataError;
pub use idx::MAX_BYTES;

/// Where the shipped MNIST lies: `data/mnist` here, or else in the workspace this was built from.
pub fn default_directory() -> PathBuf {
    let here = PathBuf::from("data/mnist");
    if here.is_dir() {
        return here;
    }
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent().unwrap_or(host).join(here)
}
