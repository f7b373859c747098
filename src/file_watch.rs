//! Reloads files when they change.

use std::{path::PathBuf, time::Duration, time::SystemTime};

/// A change is noticed after this long at the latest.
const INTERVAL: Duration = Duration::from_secs(2);

/// Files, and their modification times when they were last read.
#[derive(Clone, Debug)]
pub struct FileWatch {
    paths: Vec<PathBuf>,
    modified: Vec<Option<SystemTime>>,
}

impl FileWatch {
    /// To be made before the files are read, so that no change is missed.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self { modified: modified(&paths), paths }
    }

    /// Calls `reload` after each change, for as long as this is polled. A failed one is tried again, because perhaps only
    /// one of several files has been replaced yet.
    pub async fn follow(&self, what: &str, reload: impl Fn() -> Result<(), String>) {
        let (mut last, mut logged) = (self.modified.clone(), String::new());
        loop {
            tokio::time::sleep(INTERVAL).await;
            let now = modified(&self.paths);
            if now == last {
                continue;
            }
            match reload() {
                Ok(()) => {
                    (last, logged) = (now, String::new());
                    tracing::info!("reloaded the {what}");
                }
                Err(error) if error == logged => {}
                Err(error) => {
                    tracing::warn!("kept the old {what}: {error}");
                    logged = error;
                }
            }
        }
    }
}

fn modified(paths: &[PathBuf]) -> Vec<Option<SystemTime>> {
    paths.iter().map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok()).collect()
}
