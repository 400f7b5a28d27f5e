//! The hello of SSL 2.0, which nobody writes any more: from the figure of RFC 5246, appendix E.2.

/// A hello in the form of SSL 2.0 for this version, with two ciphers and a challenge of 16 octets.
pub fn sslv2_hello(version: [u8; 2]) -> Vec<u8> {
    // The first bit of the length is set; it counts what is behind it. Then the type of a hello.
    let head = [0x80, 9 + 6 + 16, 1, version[0], version[1]];
    // Octets of the ciphers, of the session id, and of the challenge.
    let lengths = [0, 6, 0, 0, 0, 16];
    // TLS_RSA_WITH_AES_128_CBC_SHA, and SSL_CK_RC4_128_WITH_MD5 as the drafts of SSL 2.0 number it.
    let ciphers = [0x00, 0x00, 0x2f, 0x01, 0x00, 0x80];
    [&head[..], &lengths, &ciphers, &[0x5a; 16]].concat()
}
