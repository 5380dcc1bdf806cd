# Sourced: builds the command, and says in HOTPART_COMMAND where it is. Tests have it count what they have recorded.
cargo build --quiet --locked --package hotpart-cli
HOTPART_COMMAND=$(realpath "${CARGO_TARGET_DIR:-target}/debug/hotpart")
export HOTPART_COMMAND
