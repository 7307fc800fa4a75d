//! Credentials that a program prints (AWS SDKs reference guide, "Process credential provider").

use std::process::{Command, Stdio};

use super::{Credentials, well_formed};
use crate::error::AwsError;

/// The longest output that is read.
const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// Runs the program that the user's own profile names.
pub(super) async fn credentials(command: &str) -> Result<Credentials, AwsError> {
    let line = command.to_owned();
    let run = tokio::task::spawn_blocking(move || shell(&line).stdin(Stdio::null()).stderr(Stdio::null()).output());
    let fail = |what: &str| AwsError::credentials(format!("`credential_process` {what}"), format!("run `{command}` by hand"));
    let output = run.await.map_err(|e| fail(&e.to_string()))?.map_err(|e| fail(&format!("could not start: {e}")))?;
    if !output.status.success() {
        return Err(fail(&format!("failed: {}", output.status)));
    }
    if output.stdout.len() > OUTPUT_BYTES_MAX {
        return Err(fail(&format!("printed more than {OUTPUT_BYTES_MAX} bytes")));
    }
    let found = read(&output.stdout).ok_or_else(|| fail("printed no credentials of version 1"))?;
    well_formed(found, "what `credential_process` printed")
}

fn shell(line: &str) -> Command {
    let (program, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(program);
    command.arg(flag).arg(line);
    command
}

fn read(output: &[u8]) -> Option<Credentials> {
    let body: serde_json::Value = serde_json::from_slice(output).ok()?;
    let of = |key: &str| body.get(key)?.as_str().map(str::to_owned);
    if body.get("Version")?.as_i64() != Some(1) {
        return None;
    }
    Some(Credentials {
        key_id: of("AccessKeyId")?,
        secret: of("SecretAccessKey")?,
        token: of("SessionToken"),
        expires: of("Expiration").and_then(|e| e.parse().ok()),
    })
}
