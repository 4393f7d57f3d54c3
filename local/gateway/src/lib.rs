//! API Gateway and Lambda on one machine: the function binaries behind real limits.
