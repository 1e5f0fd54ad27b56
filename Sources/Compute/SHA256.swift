internal import CLibCrypto

/// The SHA-256 digest of bytes that come in pieces (FIPS 180-4), computed by the system's libcrypto.
package final class SHA256 {
    private let context: OpaquePointer?

    /// A digest of nothing yet.
    package init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Appends `bytes`.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Appends `bytes`.
    package func update(_ bytes: some Sequence<UInt8>) {
        Array(bytes).withUnsafeBytes(update)
    }

    /// The 32 bytes of the digest, after which nothing can be appended.
    package func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest
    }

    /// The digest as 64 hexadecimal digits, after which nothing can be appended.
    package func hexadecimal() -> String {
        let digits = Array("0123456789abcdef")
        return String(finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
