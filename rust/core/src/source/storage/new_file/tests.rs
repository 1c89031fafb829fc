use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use tempfile::{TempDir, tempdir};

use super::*;

/// The names in a folder, in order.
fn names(folder: &TempDir) -> Vec<String> {
    let found = fs::read_dir(folder.path()).expect("a folder");
    let mut names: Vec<_> =
        found.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

fn begun(path: &Path, existing: Existing, text: &str) -> NewFile {
    let mut file = NewFile::create(path, existing).expect("a new file");
    file.as_file_mut().write_all(text.as_bytes()).expect("room");
    file
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").mode() & 0o777
}

#[test]
fn a_file_has_its_name_when_it_is_finished() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let file = begun(&path, Existing::Replace, "whole");
    assert!(matches!(&names(&folder)[..], [name] if is_temporary_name(name.as_bytes())));
    file.finish().expect("finished");
    assert_eq!(fs::read_to_string(&path).expect("a file"), "whole");
    assert_eq!(names(&folder), ["a.json"]);
}

#[test]
fn what_is_dropped_leaves_what_was_there() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    drop(begun(&path, Existing::Replace, "half"));
    assert!(names(&folder).is_empty());
    fs::write(&path, "before").expect("a file");
    drop(begun(&path, Existing::Replace, "half"));
    assert_eq!(fs::read_to_string(&path).expect("a file"), "before");
    assert_eq!(names(&folder), ["a.json"]);
}

#[test]
fn two_files_of_one_name_do_not_meet() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let (first, second) = (begun(&path, Existing::Replace, "first"), begun(&path, Existing::Replace, "second"));
    second.finish().expect("finished");
    assert_eq!(fs::read_to_string(&path).expect("a file"), "second");
    first.finish().expect("finished");
    assert_eq!(fs::read_to_string(&path).expect("a file"), "first");
}

#[test]
fn what_is_there_is_kept_if_asked() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("part-0");
    let (first, second) = (begun(&path, Existing::Keep, "first"), begun(&path, Existing::Keep, "second"));
    second.finish().expect("finished");
    assert_eq!(first.finish().expect_err("a name that is taken").kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).expect("a file"), "second");
    assert_eq!(NewFile::create(&path, Existing::Keep).expect_err("taken").kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(names(&folder), ["part-0"]);
}

#[test]
fn permissions_are_those_of_a_plain_file_or_of_the_one_before() {
    let folder = tempdir().expect("a folder");
    let (plain, path) = (folder.path().join("plain"), folder.path().join("a.json"));
    File::create(&plain).expect("a file");
    begun(&path, Existing::Replace, "").finish().expect("finished");
    assert_eq!(mode(&path), mode(&plain));
    for wanted in [0o600, 0o640, 0o666, 0o444] {
        fs::set_permissions(&path, Permissions::from_mode(wanted)).expect("permissions");
        let file = begun(&path, Existing::Replace, "secret");
        let temporary = file.temporary.as_ref().expect("a temporary file").path().to_owned();
        assert_eq!(mode(&temporary) & !wanted, 0, "never more than the file before");
        file.finish().expect("finished");
        assert_eq!(mode(&path), wanted);
    }
}

#[test]
fn links_are_replaced_and_never_followed() {
    let folder = tempdir().expect("a folder");
    let (other, path) = (folder.path().join("other"), folder.path().join("a.json"));
    fs::write(&other, "of somebody else").expect("a file");
    symlink(&other, &path).expect("a link");
    symlink(&other, folder.path().join("a.json.part")).expect("a link");
    begun(&path, Existing::Replace, "new").finish().expect("finished");
    assert_eq!(fs::read_to_string(&other).expect("a file"), "of somebody else");
    assert!(fs::symlink_metadata(&path).expect("a file").is_file());
}

#[test]
fn what_is_no_place_for_a_file_is_refused_at_once() {
    let folder = tempdir().expect("a folder");
    let refused = |path: &Path| NewFile::create(path, Existing::Replace).expect_err("no place").kind();
    assert_eq!(refused(folder.path()), io::ErrorKind::IsADirectory);
    assert_eq!(refused(&folder.path().join("none/a.json")), io::ErrorKind::NotFound);
    assert_eq!(refused(&folder.path().join("a".repeat(300))), io::ErrorKind::InvalidFilename);
    assert_eq!(refused(Path::new("/dev/null")), io::ErrorKind::Other);
    // As long as a name may be.
    begun(&folder.path().join("a".repeat(255)), Existing::Replace, "").finish().expect("finished");
}

#[test]
fn leftovers_are_removed_and_nothing_else() {
    let folder = tempdir().expect("a folder");
    let dead = folder.path().join(".ctfast-4194305-Ab12cd34Ef56gh78.part");
    fs::write(&dead, "half").expect("a file");
    let kept =
        [".ctfast-1-.part", ".ctfast--a.part", ".ctfast-1-a.b.part", ".ctfast-a-1.part", "a.part", "ctfast-1-a.part"];
    for name in kept {
        fs::write(folder.path().join(name), name).expect("a file");
    }
    let link = folder.path().join(".ctfast-1-link.part");
    symlink(folder.path().join("a.part"), &link).expect("a link");
    let living = begun(&folder.path().join("a.json"), Existing::Replace, "whole");
    remove_leftovers(folder.path());
    assert!(!dead.exists());
    assert!(kept.iter().all(|name| folder.path().join(name).exists()));
    assert!(fs::symlink_metadata(&link).is_ok());
    living.finish().expect("what is being written is no leftover");
}

#[test]
fn what_another_process_holds_is_no_leftover() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join(".ctfast-1-a.part");
    fs::write(&path, "half").expect("a file");
    let file = File::open(&path).expect("a file");
    file.lock().expect("a lock");
    // The lock belongs to the open file, which the child has as its input.
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::from(file)).spawn().expect("a process");
    remove_leftovers(folder.path());
    assert!(path.exists());
    drop(child.stdin.take());
    child.wait().expect("an end");
    remove_leftovers(folder.path());
    assert!(!path.exists());
}

#[test]
fn writers_and_those_who_tidy_up_do_not_disturb_each_other() {
    let folder = tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = folder.path().join(format!("{writer}.json"));
            scope.spawn(move || {
                (0..100).for_each(|_| begun(&path, Existing::Replace, "whole").finish().expect("finished"));
            });
        }
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|_| remove_leftovers(folder.path())));
        }
    });
    assert_eq!(names(&folder), ["0.json", "1.json", "2.json", "3.json"]);
}

#[test]
fn folders_are_made_as_deep_as_needed() {
    let root = tempdir().expect("a folder");
    let deep = root.path().join("a/b/c");
    make_folders(&deep).expect("folders");
    make_folders(&deep).expect("the same folders");
    assert!(deep.is_dir());
    fs::write(root.path().join("file"), "").expect("a file");
    assert!(make_folders(&root.path().join("file/a")).is_err());
    make_folders(Path::new("")).expect("the folder of the process");
}
