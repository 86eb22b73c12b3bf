/*
 * How long OpenSSL takes to validate a chain of three certificates.
 *
 *   openssl FOLDER MILLISECONDS
 *
 * FOLDER has root.der, ca.der and leaf.der. Prints "NAME NANOSECONDS" for each row of the table (see table.ts), the
 * processor time of one validation as the mean over so many milliseconds.
 */

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIZE_MAX_DER = 1 << 16 };

struct der {
    unsigned char bytes[SIZE_MAX_DER];
    long size;
};

static struct der root_der, ca_der, leaf_der;

static void die(const char *what)
{
    fprintf(stderr, "openssl: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void read_der(struct der *der, const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.der", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) die(path);
    der->size = (long)fread(der->bytes, 1, sizeof der->bytes, file);
    fclose(file);
}

static X509 *decode(const struct der *der)
{
    const unsigned char *at = der->bytes;
    X509 *certificate = d2i_X509(NULL, &at, der->size);
    if (certificate == NULL) die("a certificate cannot be read");
    return certificate;
}

static X509_STORE *trust(X509 *root)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL || X509_STORE_add_cert(store, root) != 1) die("no store");
    return store;
}

static void validate(X509_STORE *store, X509 *ca, X509 *leaf)
{
    STACK_OF(X509) *sent = sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (sent == NULL || context == NULL || sk_X509_push(sent, ca) == 0) die("no memory");
    if (X509_STORE_CTX_init(context, store, leaf, sent) != 1) die("no context");
    X509_STORE_CTX_set_default(context, "ssl_server");
    if (X509_verify_cert(context) != 1) {
        die(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    }
    X509_STORE_CTX_free(context);
    sk_X509_free(sent);
}

static X509 *kept_ca, *kept_leaf;
static X509_STORE *kept_store;

static void all_new(void)
{
    X509 *root = decode(&root_der), *ca = decode(&ca_der), *leaf = decode(&leaf_der);
    X509_STORE *store = trust(root);
    validate(store, ca, leaf);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(ca);
    X509_free(leaf);
}

static void known_root(void)
{
    X509 *ca = decode(&ca_der), *leaf = decode(&leaf_der);
    validate(kept_store, ca, leaf);
    X509_free(ca);
    X509_free(leaf);
}

static void seen_before(void)
{
    validate(kept_store, kept_ca, kept_leaf);
}

static void measure(const char *name, void (*run)(void), int64_t milliseconds)
{
    for (int i = 0; i < 50; i++) run();
    int64_t start = nanoseconds(), end;
    int64_t count = 0;
    do {
        run();
        count++;
        end = nanoseconds();
    } while (end - start < milliseconds * 1000000);
    printf("%s %lld\n", name, (long long)((end - start) / count));
}

int main(int argc, char **argv)
{
    if (argc != 3) die("usage: openssl FOLDER MILLISECONDS");
    int64_t milliseconds = atoi(argv[2]);
    read_der(&root_der, argv[1], "root");
    read_der(&ca_der, argv[1], "ca");
    read_der(&leaf_der, argv[1], "leaf");
    X509 *root = decode(&root_der);
    kept_store = trust(root);
    kept_ca = decode(&ca_der);
    kept_leaf = decode(&leaf_der);
    measure("new", all_new, milliseconds);
    measure("known_root", known_root, milliseconds);
    measure("seen", seen_before, milliseconds);
    return 0;
}
