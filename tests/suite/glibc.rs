//! The C library that the binaries need. Lambda's provided.al2023 has glibc 2.34, and the loader rejects a program that
//! needs a newer symbol. `make sam-test` checks the deployed binaries with the same script.

use std::path::Path;
use std::process::{Command, Output};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn check(programs: &[&Path]) -> Output {
    Command::new(Path::new(ROOT).join("scripts/glibc"))
        .args(programs)
        .output()
        .unwrap()
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Builds a program that needs a symbol of a version, with the C compiler that also links the project.
fn program(folder: &Path, version: &str) -> std::path::PathBuf {
    let library = folder.join("libc.so.6");
    let script = folder.join("versions");
    std::fs::write(&script, format!("{version} {{ global: newer; }};")).unwrap();
    std::fs::write(folder.join("library.c"), "void newer(void) {}").unwrap();
    std::fs::write(
        folder.join("program.c"),
        "void newer(void); int main(void) { newer(); return 0; }",
    )
    .unwrap();
    let compile = |arguments: &[&str]| {
        let done = Command::new("cc")
            .current_dir(folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", message(&done));
    };
    compile(&[
        "-shared",
        "-nostdlib",
        "-Wl,--version-script=versions",
        "-o",
        library.to_str().unwrap(),
        "library.c",
    ]);
    compile(&[
        "-nostdlib",
        "-Wl,--entry=main",
        "-o",
        version,
        "program.c",
        library.to_str().unwrap(),
    ]);
    folder.join(version)
}

#[test]
fn functions_need_no_newer_glibc_than_lambda_has() {
    let folders = ["api", "jobs"].map(|kind| Path::new(ROOT).join("functions").join(kind));
    let programs: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|function| {
            Path::new(ROOT)
                .join("target/debug")
                .join(function.unwrap().file_name())
        })
        .collect();
    let programs: Vec<&Path> = programs.iter().map(AsRef::as_ref).collect();
    let checked = check(&programs);
    assert!(checked.status.success(), "{}", message(&checked));
}

#[test]
fn program_that_needs_a_newer_glibc_is_named() {
    for (version, fits) in [
        ("GLIBC_2.34", true),
        ("GLIBC_2.4", true),
        ("GLIBC_2.35", false),
        ("GLIBC_2.100", false),
        ("GLIBC_3.0", false),
        ("GLIBC_ABI_DT_RELR", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), version);
        let checked = check(&[&program]);
        assert_eq!(
            checked.status.success(),
            fits,
            "{version}: {}",
            message(&checked)
        );
        let is_named = message(&checked).contains(program.to_str().unwrap());
        assert_eq!(is_named, !fits, "{}", message(&checked));
    }
}

#[test]
fn missing_or_invalid_program_fails_the_check() {
    let manifest = Path::new(ROOT).join("Cargo.toml");
    assert!(!check(&[&manifest]).status.success());
    assert!(!check(&[Path::new("/no/such/program")]).status.success());
    assert!(!check(&[]).status.success(), "nothing was checked");
}
