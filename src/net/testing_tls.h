// For tests only: a certificate made on the spot, and the server's side of TLS on a Peer.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "net/testing.h"

namespace net::testing {

// Self-signed, so that its own file is the authority that verifies it.
class TestCertificate {
 public:
  // `names` as in subjectAltName: "DNS:localhost,IP:127.0.0.1"; "": none.
  explicit TestCertificate(const std::string& names, const std::string& common_name = "test")
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    X509_set_version(certificate_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* const name = X509_get_subject_name(certificate_);
    const auto* common = reinterpret_cast<const unsigned char*>(common_name.c_str());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
    X509_set_issuer_name(certificate_, name);
    if (!names.empty()) {
      X509_EXTENSION* const extension =
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
      X509_add_ext(certificate_, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate_, key_, EVP_sha256());

    file_ = "/tmp/test-certificate-XXXXXX";
    const int fd = ::mkstemp(file_.data());
    std::FILE* const out = fd < 0 ? nullptr : ::fdopen(fd, "w");
    if (!out) std::abort();
    PEM_write_X509(out, certificate_);
    std::fclose(out);
  }
  ~TestCertificate() {
    ::unlink(file_.c_str());
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  const std::string& file() const { return file_; }
  X509* certificate() const { return certificate_; }
  EVP_PKEY* key() const { return key_; }

 private:
  EVP_PKEY* key_;
  X509* certificate_;
  std::string file_;
};

// The server's side; blocking, on the server's thread.
class TlsPeer {
 public:
  TlsPeer(Peer& peer, const TestCertificate& certificate) : TlsPeer(peer, make_context(certificate)) {}
  // A context that several share, so that sessions can be resumed. Takes one reference.
  TlsPeer(Peer& peer, SSL_CTX* context) : context_(context) {
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, peer.fd());
    accepted_ = SSL_accept(ssl_) == 1;
    if (const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name)) server_name_ = name;
  }
  ~TlsPeer() {
    ERR_clear_error();
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  static SSL_CTX* make_context(const TestCertificate& certificate) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate.certificate());
    SSL_CTX_use_PrivateKey(context, certificate.key());
    return context;
  }

  bool accepted() const { return accepted_; }
  bool resumed() const { return SSL_session_reused(ssl_) == 1; }
  const std::string& server_name() const { return server_name_; }
  std::string read_head() {
    std::string head;
    for (char c; !head.ends_with("\r\n\r\n");) {
      if (SSL_read(ssl_, &c, 1) != 1) return "";
      head += c;
    }
    return head;
  }
  std::string read(std::size_t n) {
    std::string out(n, '\0');
    std::size_t got = 0;
    for (int r; got < n && (r = SSL_read(ssl_, out.data() + got, static_cast<int>(n - got))) > 0;)
      got += static_cast<std::size_t>(r);
    out.resize(got);
    return out;
  }
  void write(std::string_view bytes) { SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); }
  void close_notify() { SSL_shutdown(ssl_); }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  bool accepted_ = false;
  std::string server_name_;
};

}  // namespace net::testing
