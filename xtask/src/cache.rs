//! Where what was fetched is kept: outside the repository and its target folder, so that a new
//! clone need not fetch it again.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A folder for packages and what is unpacked from them: `$XDG_CACHE_HOME/namegate/NAME`, else
/// `~/.cache/namegate/NAME`.
pub fn folder(name: &str) -> Result<PathBuf> {
    // The specification says to pass over a path that is not absolute.
    let of_user = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let cache = of_user.or_else(|| env::home_dir().map(|home| home.join(".cache")));
    let cache = cache.context("there is no folder for caches: set HOME or XDG_CACHE_HOME")?;
    Ok(cache.join(Path::new("namegate")).join(name))
}
