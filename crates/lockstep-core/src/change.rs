//! What a changelog row says happened: a machine's word (`kind`) and the public index's own
//! sentence (`action`), which mirrors and tools of ten years parse.
//!
//! Only events that change the bytes of a simple page are changes (promise P2); roles,
//! invitations and the like have no place here.

use crate::filename::DistFilename;
use crate::status::ProjectStatus;
use crate::version::Version;

/// One event in the life of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The project came into being.
    Create,
    /// A version got its first file.
    NewRelease(Version),
    /// A file was added.
    AddFile(Version, DistFilename),
    /// A file was removed.
    RemoveFile(Version, DistFilename),
    /// A whole release was removed.
    RemoveRelease(Version),
    /// The project is gone.
    RemoveProject,
    /// A release was yanked (PEP 592); the reason stands in the page, not here.
    Yank(Version),
    /// A yank was taken back.
    Unyank(Version),
    /// The project's status marker changed from one to another (PEP 792).
    Status(ProjectStatus, ProjectStatus),
    /// The project is told anew after a restore from an older backup: serials that were lost may have
    /// said something else of it.
    Restored,
}

impl Change {
    /// The machine's word, `kind` in the JSON changelog.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::NewRelease(_) => "new-release",
            Self::AddFile(..) => "add-file",
            Self::RemoveFile(..) => "remove-file",
            Self::RemoveRelease(_) => "remove-release",
            Self::RemoveProject => "remove-project",
            Self::Yank(_) => "yank",
            Self::Unyank(_) => "unyank",
            Self::Status(..) => "status",
            Self::Restored => "restore",
        }
    }

    /// The sentence, letter for letter as the public index writes it where it knows the event
    /// (its journal); its consumers compare these strings.
    pub fn action(&self) -> String {
        use ProjectStatus::{Active, Archived, Deprecated, Quarantined};
        match self {
            Self::Create => "create".to_owned(),
            Self::NewRelease(_) => "new release".to_owned(),
            Self::AddFile(_, file) => format!("add {} file {file}", file.python_version_tag()),
            Self::RemoveFile(_, file) => format!("remove file {file}"),
            Self::RemoveRelease(_) => "remove release".to_owned(),
            Self::RemoveProject => "remove project".to_owned(),
            Self::Yank(_) => "yank release".to_owned(),
            Self::Unyank(_) => "unyank release".to_owned(),
            Self::Status(_, Quarantined) => "project quarantined".to_owned(),
            Self::Status(Quarantined, Active) => "project quarantine cleared".to_owned(),
            // The public index writes no row for these although the page changes; ours must.
            Self::Status(_, Archived) => "project archived".to_owned(),
            Self::Status(Archived, Active) => "project unarchived".to_owned(),
            Self::Status(_, Deprecated) => "project deprecated".to_owned(),
            Self::Status(_, Active) => "project active".to_owned(),
            Self::Restored => "restored".to_owned(),
        }
    }

    /// The release it is about; `None` when it is about the project.
    pub fn version(&self) -> Option<&Version> {
        match self {
            Self::NewRelease(version)
            | Self::AddFile(version, _)
            | Self::RemoveFile(version, _)
            | Self::RemoveRelease(version)
            | Self::Yank(version)
            | Self::Unyank(version) => Some(version),
            Self::Create | Self::RemoveProject | Self::Status(..) | Self::Restored => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_the_public_indexs_own_words() {
        use ProjectStatus::{Active, Quarantined};
        let version: Version = "4.0.0".parse().expect("version");
        let wheel = DistFilename::from_stored("sampleproject-4.0.0-py3-none-any.whl".to_owned());
        let sdist = DistFilename::from_stored("sampleproject-4.0.0.tar.gz".to_owned());
        let said = |change: Change| format!("{}: {}", change.kind(), change.action());
        assert_eq!(said(Change::Create), "create: create");
        assert_eq!(
            said(Change::NewRelease(version.clone())),
            "new-release: new release"
        );
        assert_eq!(
            said(Change::AddFile(version.clone(), wheel.clone())),
            "add-file: add py3 file sampleproject-4.0.0-py3-none-any.whl"
        );
        assert_eq!(
            said(Change::AddFile(version.clone(), sdist)),
            "add-file: add source file sampleproject-4.0.0.tar.gz"
        );
        assert_eq!(
            said(Change::RemoveFile(version.clone(), wheel)),
            "remove-file: remove file sampleproject-4.0.0-py3-none-any.whl"
        );
        assert_eq!(
            said(Change::RemoveRelease(version.clone())),
            "remove-release: remove release"
        );
        assert_eq!(
            said(Change::RemoveProject),
            "remove-project: remove project"
        );
        assert_eq!(said(Change::Yank(version.clone())), "yank: yank release");
        assert_eq!(said(Change::Unyank(version)), "unyank: unyank release");
        assert_eq!(said(Change::Restored), "restore: restored");
        let status = |from, to| said(Change::Status(from, to));
        assert_eq!(status(Active, Quarantined), "status: project quarantined");
        assert_eq!(
            status(Quarantined, Active),
            "status: project quarantine cleared"
        );
    }
}
