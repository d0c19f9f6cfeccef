//! Places the program where QEMU's generic AArch64 machine has its memory; the web asks for nothing of the kind.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=virt.x");
    if env::var("TARGET").unwrap().starts_with("wasm32") {
        println!("cargo:rustc-link-arg-bins=--no-entry");
        println!("cargo:rustc-link-arg-bins=--export=lanes");
        println!("cargo:rustc-link-arg-bins=--export=length");
    } else {
        let here = env::var("CARGO_MANIFEST_DIR").unwrap();
        println!("cargo:rustc-link-arg-bins=-T{here}/virt.x");
    }
}
