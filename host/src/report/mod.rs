//! Outcomes as text and as JSON. Everything here returns values; [`write()`] alone touches files.
//!
//! | file | what |
//! |---|---|
//! | [`table`] | columns that line up |
//! | [`text`] | a comparison as a page |
//! | [`json`] | the same for programs |

pub mod json;
pub mod table;
pub mod text;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes a file whole or not at all: beside it first, then renamed. Folders are made.
///
/// # Errors
/// Whatever the operating system has against it.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        fs::create_dir_all(parent)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = fs::File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&part, path)).inspect_err(|_| {
        // It may not exist; the first error is the one to tell.
        fs::remove_file(&part).unwrap_or_default();
    })
}
