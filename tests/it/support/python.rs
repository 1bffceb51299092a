//! The Python that has pynetbox.

use std::process::Command;

/// Seconds after which a Python is ended, so that one that hangs fails its test and does not hang it.
const LONGEST: &str = "300";

/// Runs the Python that `scripts/test.sh` names. Without one, a test that needs it cannot say anything, and says that.
pub(crate) fn python() -> Command {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let named = std::env::var_os("NBPROXY_TEST_PYTHON");
    let named =
        named.expect("NBPROXY_TEST_PYTHON must name a Python that has pynetbox; run scripts/test.sh, which makes one");
    let mut command = Command::new("timeout");
    command.arg(LONGEST).arg(named);
    command
}
