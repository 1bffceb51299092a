//! The look-alike as a command.

use std::process::Command;

#[test]
fn help_prints_the_usage_and_succeeds() {
    for flag in ["--help", "-h"] {
        let output = Command::new(env!("CARGO_BIN_EXE_fake-netbox")).arg(flag).output().unwrap();
        assert!(output.status.success(), "{flag}: {}", output.status);
        assert!(output.stdout.starts_with(b"usage: fake-netbox"), "{flag}");
        assert!(output.stderr.is_empty(), "{flag}");
    }
}
