/*
 * The other end of every benchmark: a small TLS program on OpenSSL, loopback only.
 *
 *   peer server VERSION CERT KEY
 *       Prints "port N", then serves every connection on a thread of its own until standard input
 *       ends. A connection that sends nothing was a handshake alone. Otherwise it sends orders of
 *       17 bytes: a letter and two 64-bit numbers (big-endian), COUNT and CHUNK:
 *         K  sink: read COUNT bytes, then answer one byte
 *         S  source: write COUNT bytes, CHUNK bytes at a time
 *         E  echo: COUNT times read CHUNK bytes and write them back
 *
 *   peer client VERSION CAFILE PORT handshakes COUNT CONCURRENCY
 *       Makes COUNT connections from CONCURRENCY threads; each ends when the server has closed it.
 *   peer client VERSION CAFILE PORT source|sink COUNT CHUNK
 *       Writes COUNT bytes and waits for one byte, or reads COUNT bytes.
 *       Both print "microseconds N" for the work without process start.
 *
 * VERSION is 1.2 or 1.3. One cipher suite (AES-128-GCM) and one group a version, no resumption, so
 * that whoever is measured does the same work. The groups are those that OTP's ssl offers by itself:
 * X25519 in TLS 1.3 (another one would cost a HelloRetryRequest), P-256 in TLS 1.2.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ORDER_SIZE = 17, CHUNK_MAX = 1 << 20, COUNT_MAX = 1 << 30, THREADS_MAX = 64 };

static void die(const char *what)
{
    fprintf(stderr, "peer: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static int64_t microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t number(const char *text, int64_t most)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < 1 || value > most) die("a number is out of range");
    return value;
}

static SSL_CTX *new_context(const SSL_METHOD *method, const char *version)
{
    SSL_CTX *context = SSL_CTX_new(method);
    int wire = 0;
    const char *group = "X25519";
    if (strcmp(version, "1.3") == 0) wire = TLS1_3_VERSION;
    if (strcmp(version, "1.2") == 0) {
        wire = TLS1_2_VERSION;
        group = "P-256";
    }
    if (context == NULL || wire == 0) die("the version is 1.2 or 1.3");
    if (!SSL_CTX_set_min_proto_version(context, wire) ||
        !SSL_CTX_set_max_proto_version(context, wire) ||
        !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") ||
        !SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM+AES128") ||
        !SSL_CTX_set1_groups_list(context, group))
        die("the context cannot be set up");
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

/* Whether all bytes came; false at the end of the connection. */
static int read_exactly(SSL *ssl, unsigned char *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        size_t got = 0;
        if (!SSL_read_ex(ssl, bytes + have, length - have, &got)) return 0;
        have += got;
    }
    return 1;
}

static int write_all(SSL *ssl, const unsigned char *bytes, size_t length)
{
    size_t written = 0;
    return SSL_write_ex(ssl, bytes, length, &written) && written == length;
}

/* Reads and forgets. */
static int drain(SSL *ssl, unsigned char *buffer, uint64_t count)
{
    while (count > 0) {
        size_t got = 0;
        size_t want = count < CHUNK_MAX ? (size_t)count : CHUNK_MAX;
        if (!SSL_read_ex(ssl, buffer, want, &got)) return 0;
        count -= got;
    }
    return 1;
}

static int flood(SSL *ssl, const unsigned char *buffer, uint64_t count, uint64_t chunk)
{
    while (count > 0) {
        size_t length = (size_t)(count < chunk ? count : chunk);
        if (!write_all(ssl, buffer, length)) return 0;
        count -= length;
    }
    return 1;
}

static int echo(SSL *ssl, unsigned char *buffer, uint64_t count, uint64_t chunk)
{
    for (; count > 0; count--)
        if (!read_exactly(ssl, buffer, (size_t)chunk) || !write_all(ssl, buffer, (size_t)chunk))
            return 0;
    return 1;
}

static uint64_t big_endian(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

static int obey(SSL *ssl, const unsigned char *order, unsigned char *buffer)
{
    uint64_t count = big_endian(order + 1);
    uint64_t chunk = big_endian(order + 9);
    if (count > COUNT_MAX || chunk < 1 || chunk > CHUNK_MAX) return 0;
    switch (order[0]) {
    case 'K':
        return drain(ssl, buffer, count) && write_all(ssl, buffer, 1);
    case 'S':
        return flood(ssl, buffer, count, chunk);
    case 'E':
        return echo(ssl, buffer, count, chunk);
    default:
        return 0;
    }
}

static void hang_up(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    ERR_clear_error();
    close(fd);
}

static void *serve(void *argument)
{
    SSL *ssl = argument;
    unsigned char order[ORDER_SIZE];
    unsigned char *buffer = calloc(1, CHUNK_MAX);
    if (buffer == NULL) die("no memory");
    if (SSL_accept(ssl) == 1)
        while (read_exactly(ssl, order, sizeof order) && obey(ssl, order, buffer))
            ;
    free(buffer);
    hang_up(ssl);
    return NULL;
}

/* The program ends with whoever started it. */
static void *end_with_input(void *argument)
{
    char byte;
    (void)argument;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    exit(0);
}

static SSL *wrap(SSL_CTX *context, int fd)
{
    int one = 1;
    SSL *ssl = SSL_new(context);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (ssl == NULL || !SSL_set_fd(ssl, fd)) die("no SSL object");
    return ssl;
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void run_server(char **arguments)
{
    SSL_CTX *context = new_context(TLS_server_method(), arguments[0]);
    if (SSL_CTX_use_certificate_chain_file(context, arguments[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, arguments[2], SSL_FILETYPE_PEM) != 1)
        die("the certificate or key cannot be used");

    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        die("cannot listen");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);

    pthread_t thread;
    if (pthread_create(&thread, NULL, end_with_input, NULL) != 0) die("no thread");
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        if (pthread_create(&thread, NULL, serve, wrap(context, fd)) != 0) die("no thread");
        pthread_detach(thread);
    }
}

struct client {
    SSL_CTX *context;
    int port;
    int64_t count;
};

static SSL *dial(const struct client *client)
{
    struct sockaddr_in address = loopback(client->port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("cannot connect");
    SSL *ssl = wrap(client->context, fd);
    if (!SSL_set_tlsext_host_name(ssl, "localhost") || !SSL_set1_host(ssl, "localhost") ||
        SSL_connect(ssl) != 1)
        die("the handshake failed");
    return ssl;
}

static void *shake_hands(void *argument)
{
    const struct client *client = argument;
    for (int64_t i = 0; i < client->count; i++) {
        unsigned char byte;
        SSL *ssl = dial(client);
        if (read_exactly(ssl, &byte, 1)) die("the server was to close");
        if (SSL_get_shutdown(ssl) != SSL_RECEIVED_SHUTDOWN) die("the server closed badly");
        hang_up(ssl);
    }
    return NULL;
}

static int64_t time_handshakes(struct client client, int threads)
{
    pthread_t running[THREADS_MAX];
    client.count /= threads;
    int64_t start = microseconds();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&running[i], NULL, shake_hands, &client) != 0) die("no thread");
    for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
    return microseconds() - start;
}

static int64_t time_transfer(struct client client, int sending, uint64_t chunk)
{
    unsigned char *buffer = calloc(1, CHUNK_MAX);
    if (buffer == NULL) die("no memory");
    SSL *ssl = dial(&client);
    int64_t start = microseconds();
    uint64_t count = (uint64_t)client.count;
    int done = sending ? flood(ssl, buffer, count, chunk) && read_exactly(ssl, buffer, 1)
                       : drain(ssl, buffer, count);
    if (!done) die("the connection ended early");
    int64_t took = microseconds() - start;
    free(buffer);
    hang_up(ssl);
    return took;
}

static void run_client(char **arguments)
{
    const char *mode = arguments[3];
    struct client client = {
        .context = new_context(TLS_client_method(), arguments[0]),
        .port = (int)number(arguments[2], 65535),
        .count = number(arguments[4], COUNT_MAX),
    };
    if (SSL_CTX_load_verify_locations(client.context, arguments[1], NULL) != 1)
        die("the CA file cannot be used");
    SSL_CTX_set_verify(client.context, SSL_VERIFY_PEER, NULL);

    int64_t took = 0;
    if (strcmp(mode, "handshakes") == 0)
        took = time_handshakes(client, (int)number(arguments[5], THREADS_MAX));
    else if (strcmp(mode, "source") == 0 || strcmp(mode, "sink") == 0)
        took = time_transfer(client, mode[1] == 'o', (uint64_t)number(arguments[5], CHUNK_MAX));
    else
        die("the client's mode is handshakes, source or sink");
    printf("microseconds %" PRId64 "\n", took);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 5 && strcmp(argv[1], "server") == 0) run_server(argv + 2);
    else if (argc == 8 && strcmp(argv[1], "client") == 0) run_client(argv + 2);
    else die("usage: peer server VERSION CERT KEY | peer client VERSION CAFILE PORT MODE COUNT N");
    return 0;
}
