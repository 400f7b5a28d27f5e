//! Tells the linker how the object is to be made.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Otherwise LLVM calls a function, which goes octet by octet, for every few octets that are
    // set, copied or compared.
    println!("cargo:rustc-link-arg-bins=--disable-expand-memcpy-in-order");
}
