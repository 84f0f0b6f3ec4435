/* A cipher machine in software, for tests only: the calls of GM/T 0018 that Liuhe makes, over libcrypto.
 *
 * Index 1 holds the key pair of the standards' examples, index 2 a fresh one; both pairs of an index are the
 * same here. The password is "device". The structures are written down from the standard, not taken from
 * the code under test, so that a wrong layout there fails here. No header of OpenSSL is needed.
 */
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned int bits; unsigned char x[64]; unsigned char y[64]; } ECCrefPublicKey;
typedef struct { unsigned char r[64]; unsigned char s[64]; } ECCSignature;
typedef struct {
    unsigned char x[64]; unsigned char y[64]; unsigned char M[32]; unsigned int L; unsigned char C[1];
} ECCCipher;

#define SDR_OK 0
#define SDR_PARDENY 0x01000007
#define SDR_KEYNOTEXIST 0x01000008
#define SDR_ALGNOTSUPPORT 0x01000009
#define SDR_SKOPERR 0x0100000C
#define SDR_INARGERR 0x0100001D
#define SGD_SM2_3 0x00020800
#define KEYS 2

extern void *EVP_PKEY_CTX_new_from_pkey(void *, void *, const char *);
extern void *EVP_PKEY_CTX_new_from_name(void *, const char *, const char *);
extern void EVP_PKEY_CTX_free(void *);
extern int EVP_PKEY_keygen_init(void *);
extern int EVP_PKEY_generate(void *, void **);
extern int EVP_PKEY_sign_init(void *);
extern int EVP_PKEY_sign(void *, unsigned char *, size_t *, const unsigned char *, size_t);
extern int EVP_PKEY_decrypt_init(void *);
extern int EVP_PKEY_decrypt(void *, unsigned char *, size_t *, const unsigned char *, size_t);
extern void *d2i_AutoPrivateKey(void **, const unsigned char **, long);
extern int i2d_PUBKEY(void *, unsigned char **);
extern int RAND_bytes(unsigned char *, int);
extern void ERR_clear_error(void);

static const unsigned char EXAMPLE[67] =
    "\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d"
    "\x04\x27\x30\x25\x02\x01\x01\x04\x20"
    "\x39\x45\x20\x8f\x7b\x21\x44\xb1\x3f\x36\xe3\x8a\xc6\xd3\x9f\x95"
    "\x88\x93\x93\x69\x28\x60\xb5\x1a\x42\xfb\x81\xef\x4d\xf7\xc5\xb8";

static void *keys[KEYS + 1];
static int allowed[KEYS + 1];
static int device, session;
/* What a test may break: 1 wrong signatures, 2 constant random numbers, 3 decryption without a check. */
int sdf_simulator_fault = 0;

int SDF_OpenDevice(void **handle) {
    const unsigned char *at = EXAMPLE;
    void *context;
    if (!keys[1]) {
        keys[1] = d2i_AutoPrivateKey(NULL, &at, sizeof(EXAMPLE));
        context = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
        if (!keys[1] || !context || EVP_PKEY_keygen_init(context) != 1 ||
            EVP_PKEY_generate(context, &keys[2]) != 1) return 0x01000004;
        EVP_PKEY_CTX_free(context);
    }
    *handle = &device;
    return SDR_OK;
}

int SDF_CloseDevice(void *handle) { return handle == &device ? SDR_OK : SDR_INARGERR; }

int SDF_OpenSession(void *handle, void **opened) {
    if (handle != &device) return SDR_INARGERR;
    *opened = &session;
    return SDR_OK;
}

int SDF_CloseSession(void *handle) { return handle == &session ? SDR_OK : SDR_INARGERR; }

int SDF_GenerateRandom(void *handle, unsigned int size, unsigned char *out) {
    if (handle != &session) return SDR_INARGERR;
    if (sdf_simulator_fault == 2) { memset(out, 7, size); return SDR_OK; }
    return RAND_bytes(out, (int)size) == 1 ? SDR_OK : 0x01000004;
}

static int checked(void *handle, unsigned int index, int need_right) {
    if (handle != &session) return SDR_INARGERR;
    if (index < 1 || index > KEYS) return SDR_KEYNOTEXIST;
    return need_right && !allowed[index] ? SDR_PARDENY : SDR_OK;
}

int SDF_GetPrivateKeyAccessRight(void *handle, unsigned int index, unsigned char *password, unsigned int size) {
    int code = checked(handle, index, 0);
    if (code) return code;
    if (size != 6 || memcmp(password, "device", 6)) return SDR_PARDENY;
    allowed[index] = 1;
    return SDR_OK;
}

int SDF_ReleasePrivateKeyAccessRight(void *handle, unsigned int index) {
    int code = checked(handle, index, 0);
    if (!code) allowed[index] = 0;
    return code;
}

static int export_point(void *handle, unsigned int index, ECCrefPublicKey *out) {
    unsigned char der[256], *at = der;
    int size, code = checked(handle, index, 0);
    if (code) return code;
    size = i2d_PUBKEY(keys[index], &at);
    if (size < 65) return SDR_SKOPERR;
    memset(out, 0, sizeof(*out));
    out->bits = 256;
    memcpy(out->x + 32, der + size - 64, 32);
    memcpy(out->y + 32, der + size - 32, 32);
    return SDR_OK;
}

int SDF_ExportSignPublicKey_ECC(void *handle, unsigned int index, ECCrefPublicKey *out) {
    return export_point(handle, index, out);
}

int SDF_ExportEncPublicKey_ECC(void *handle, unsigned int index, ECCrefPublicKey *out) {
    return export_point(handle, index, out);
}

static const unsigned char *number(const unsigned char *at, unsigned char *field) {
    int size = at[1];
    const unsigned char *from = at + 2;
    if (size == 33) { from++; size--; }
    memset(field, 0, 64);
    memcpy(field + 64 - size, from, size);
    return from + size;
}

int SDF_InternalSign_ECC(
    void *handle, unsigned int index, unsigned char *data, unsigned int size, ECCSignature *out) {
    unsigned char der[80];
    size_t length = sizeof(der);
    void *context;
    int done, code = checked(handle, index, 1);
    if (code) return code;
    if (size != 32) return SDR_INARGERR;
    context = EVP_PKEY_CTX_new_from_pkey(NULL, keys[index], NULL);
    done = EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_sign(context, der, &length, data, size) == 1;
    EVP_PKEY_CTX_free(context);
    if (!done) return SDR_SKOPERR;
    number(number(der + 2, out->r), out->s);
    if (sdf_simulator_fault == 1) out->s[63] ^= 1;
    return SDR_OK;
}

static size_t integer(unsigned char *to, const unsigned char *from) {
    int skip = 0, high;
    while (skip < 31 && !from[skip]) skip++;
    high = from[skip] >> 7;
    to[0] = 2;
    to[1] = (unsigned char)(32 - skip + high);
    to[2] = 0;
    memcpy(to + 2 + high, from + skip, 32 - skip);
    return 2 + high + 32 - skip;
}

static size_t head(unsigned char *to, int tag, size_t size) {
    to[0] = (unsigned char)tag;
    to[1] = 0x83;
    to[2] = (unsigned char)(size >> 16);
    to[3] = (unsigned char)(size >> 8);
    to[4] = (unsigned char)size;
    if (size >= 0x10000) return 5;
    to[1] = 0x82; to[2] = to[3]; to[3] = to[4];
    if (size >= 0x100) return 4;
    to[1] = 0x81; to[2] = to[3];
    if (size >= 0x80) return 3;
    to[1] = to[2];
    return 2;
}

static int opened(void *handle, unsigned int index, ECCCipher *sealed, unsigned char *out, unsigned int *size) {
    unsigned char *der, *body, *at;
    size_t length = sealed->L, all, first;
    void *context;
    int done, code = checked(handle, index, 1);
    if (code) return code;
    der = malloc(length + 256);
    body = malloc(length + 256);
    if (!der || !body) return 0x01000004;
    at = body;
    at += integer(at, sealed->x + 32);
    at += integer(at, sealed->y + 32);
    at += head(at, 4, 32);
    memcpy(at, sealed->M, 32);
    at += 32;
    at += head(at, 4, length);
    memcpy(at, sealed->C, length);
    all = (size_t)(at + length - body);
    first = head(der, 0x30, all);
    memcpy(der + first, body, all);
    context = EVP_PKEY_CTX_new_from_pkey(NULL, keys[index], NULL);
    done = EVP_PKEY_decrypt_init(context) == 1 && EVP_PKEY_decrypt(context, out, &length, der, first + all) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    free(der);
    free(body);
    if (!done && sdf_simulator_fault != 3) return SDR_SKOPERR;
    *size = (unsigned int)(done ? length : sealed->L);
    return SDR_OK;
}

#if defined(ORDER_INDEX)
int SDF_InternalDecrypt_ECC(
    void *handle, unsigned int index, ECCCipher *sealed, unsigned char *out, unsigned int *size) {
    return opened(handle, index, sealed, out, size);
}
#elif defined(ORDER_ALGORITHM_INDEX)
int SDF_InternalDecrypt_ECC(void *handle, unsigned int algorithm, unsigned int index, ECCCipher *sealed,
                            unsigned char *out, unsigned int *size) {
    return algorithm == SGD_SM2_3 ? opened(handle, index, sealed, out, size) : SDR_ALGNOTSUPPORT;
}
#else
int SDF_InternalDecrypt_ECC(void *handle, unsigned int index, unsigned int algorithm, ECCCipher *sealed,
                            unsigned char *out, unsigned int *size) {
    return algorithm == SGD_SM2_3 ? opened(handle, index, sealed, out, size) : SDR_ALGNOTSUPPORT;
}
#endif
