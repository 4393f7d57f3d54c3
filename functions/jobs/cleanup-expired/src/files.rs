//! Temporary files: deletes the object first, then the row. A crash in between leaves a row without an object.

use shared::protocol::object_storage;
use shared::service::cleanup::{Place, Task};
use tokio::time::Instant;

use crate::handler::{CleanupHandler, Error, TaskResult};

impl CleanupHandler {
    pub(crate) async fn temp_files(
        &self,
        run: &str,
        deadline: Instant,
    ) -> Result<TaskResult, Error> {
        let mut after = Place::default();
        let mut refused = None;
        loop {
            let files = self.cleanup.temp_files(&after).await?;
            let Some(last) = files.last() else { break };
            after.clone_from(&last.place);
            let mut gone = Vec::new();
            for file in files {
                let deleted = match &file.object_key {
                    Some(key) => self.documents.delete(key).await,
                    None => Ok(()),
                };
                match deleted {
                    Ok(()) => gone.push(file.place),
                    // One rejected key must not block the other objects.
                    Err(error @ object_storage::Error::Refused { .. }) => refused = Some(error),
                    Err(error) => {
                        self.forget(run, &gone).await?;
                        return Err(error.into());
                    }
                }
            }
            self.forget(run, &gone).await?;
            if Instant::now() >= deadline {
                return Ok(TaskResult::OutOfTime);
            }
        }
        match refused {
            Some(error) => Err(error.into()),
            None => Ok(TaskResult::Done(None)),
        }
    }

    /// Deletes the rows of files whose objects are deleted.
    async fn forget(&self, run: &str, gone: &[Place]) -> Result<(), Error> {
        if gone.is_empty() {
            return Ok(());
        }
        let removal = self.cleanup.removal(run, Task::TempFiles).await?;
        let removed = removal.temp_files(gone).await?;
        removal.end(removed).await?;
        Ok(())
    }
}
