//! An SES-compatible endpoint that keeps every mail and shows it in the browser.
