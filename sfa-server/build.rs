//! A studio that was built anew belongs into the next program.

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
}
