//! What the path that somebody asks for gives away. The web app has no such pages: whoever asks for them is looking for
//! holes. A short list, matched by words in it.

/// Words of paths that scanners try everywhere.
const PROBES: [&str; 20] = [
    "%2e%2e",
    "%3cscript",
    "../",
    "..\\",
    ".asp",
    ".bak",
    ".php",
    ".sql",
    "/.aws",
    "/.env",
    "/.git",
    "/.ssh",
    "/actuator",
    "/cgi-bin",
    "/etc/passwd",
    "/phpmyadmin",
    "/server-status",
    "/vendor/",
    "/wp-",
    "<script",
];

/// What speaks against asking for `path`, if anything does.
pub(super) fn suspicion(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    let probes = PROBES.iter().any(|word| path.contains(word));
    probes.then_some("path-probed")
}

#[cfg(test)]
mod tests {
    use super::suspicion;

    #[test]
    fn a_scanners_path_is_told_from_the_web_apps() {
        for path in [
            "/wp-login.php",
            "/.env",
            "/static/%2e%2e/%2E%2E/etc/passwd",
            "/.Git/config",
            "/sign/1?next=%3Cscript%3E",
        ] {
            assert_eq!(suspicion(path), Some("path-probed"), "{path}");
        }
        for path in [
            "/",
            "",
            "/login",
            "/sign/01985c00?token=a.b",
            "/documents/env.pdf",
            "/%FF%zz",
        ] {
            assert_eq!(suspicion(path), None, "{path}");
        }
    }
}
