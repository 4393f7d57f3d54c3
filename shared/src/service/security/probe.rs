//! Suspicious request paths. The web app has no such pages; only vulnerability scanners request them. The list is
//! short, and each word is a whole segment of the path. The query is ignored: users search for any text.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Segments that scanners request everywhere, in lower case.
const PROBES: [&str; 34] = [
    "..",
    ".aws",
    ".env",
    ".git",
    ".hg",
    ".htaccess",
    ".htpasswd",
    ".ssh",
    ".svn",
    "actuator",
    "adminer.php",
    "boaform",
    "cgi-bin",
    "config.php",
    "eval-stdin.php",
    "hnap1",
    "index.php",
    "info.php",
    "login.php",
    "phpinfo.php",
    "phpmyadmin",
    "phpunit",
    "setup.php",
    "server-status",
    "shell.php",
    "solr",
    "web.config",
    "wp-admin",
    "wp-config.php",
    "wp-content",
    "wp-includes",
    "wp-json",
    "wp-login.php",
    "xmlrpc.php",
];

/// How many layers of percent-encoding are decoded.
const LAYERS: usize = 3;

/// Returns why a request for `path` is suspicious, if it is.
pub(super) fn suspicion(path: &str) -> Option<&'static str> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = decoded(path).to_ascii_lowercase();
    let segments: Vec<&str> = path.split(['/', '\\']).collect();
    let probes = segments.iter().any(|segment| is_probe(segment))
        || segments.windows(2).any(|pair| pair == ["etc", "passwd"]);
    probes.then_some("path-probed")
}

/// Returns whether a segment is a probe. Settings files have various endings (`.env.local`); a script in a path has no
/// fixed name.
fn is_probe(segment: &str) -> bool {
    PROBES.contains(&segment) || segment.starts_with(".env.") || segment.starts_with("<script")
}

/// Returns the path with all layers of percent-encoding removed.
fn decoded(path: &str) -> Cow<'_, str> {
    let mut decoded = Cow::Borrowed(path);
    for _ in 0..LAYERS {
        let Cow::Owned(next) = percent_decode_str(&decoded).decode_utf8_lossy() else {
            break;
        };
        decoded = Cow::Owned(next);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::suspicion;

    #[test]
    fn scanner_path_is_suspected() {
        for path in [
            "/wp-login.php",
            "/.env",
            "/.env.production",
            "/static/%2e%2e/%2E%2E/etc/passwd",
            "/static/%252e%252e/x",
            "/.Git/config",
            "/blog/WP-Admin/?x=1",
            "/%3Cscript%3Ealert(1)%3C/script%3E",
        ] {
            assert_eq!(suspicion(path), Some("path-probed"), "{path}");
        }
    }

    #[test]
    fn scanner_word_in_a_query_or_inside_a_segment_is_not_suspected() {
        for path in [
            "/",
            "",
            "/login",
            "/sign/01985c00?token=a.b",
            "/documents/env.pdf",
            "/%FF%zz",
            "/search?q=/.env",
            "/sign/1?next=%3Cscript%3E",
            "/documents/wp-login.php-review",
            "/documents/2024..2025",
            "/assets/vendor/chunk.js",
            "/documents/plan.bak.pdf",
            "/aspects/sql-report.sql.pdf",
        ] {
            assert_eq!(suspicion(path), None, "{path}");
        }
    }
}
