// What libvips alone takes to decode and shrink the pictures of a folder: vips_thumbnail_buffer on as many threads as asked for, each
// picture in one thread, pixels read out and dropped. The floor beneath Recsys.Imaging's batches.
//   gcc -O2 floor.c -o floor -l:libvips.so.42 -l:libgobject-2.0.so.0 -l:libglib-2.0.so.0 -lpthread && ./floor SIZE THREADS ROUNDS FILE...
// prints, a line a round: pictures a second, and microseconds of processor time a picture.
// Prototypes are written out, because the run-time package libvips42 has no headers.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int vips_init(const char*);
void vips_concurrency_set(int);
void vips_cache_set_max(int);
void vips_vector_set_enabled(int);
int vips_thumbnail_buffer(void*, size_t, void**, int, ...);
void* vips_image_write_to_memory(void*, size_t*);
void g_object_unref(void*);
void g_free(void*);
void vips_thread_shutdown(void);

static unsigned char** files;
static size_t* lengths;
static int count, size, total;
static int next;

static void* work(void* unused) {
  (void)unused;
  for (int at; (at = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < total;) {
    void* image = NULL;
    size_t bytes;
    int file = at % count;
    if (vips_thumbnail_buffer(files[file], lengths[file], &image, size, "height", size, NULL)) exit(2);
    void* pixels = vips_image_write_to_memory(image, &bytes);
    if (pixels == NULL) exit(3);
    g_free(pixels);
    g_object_unref(image);
  }
  vips_thread_shutdown();
  return NULL;
}

int main(int argc, char** argv) {
  if (argc < 5 || vips_init(argv[0])) return 1;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_vector_set_enabled(0);  // as Recsys.Imaging sets them
  size = atoi(argv[1]);
  int threads = atoi(argv[2]), rounds = atoi(argv[3]);
  count = argc - 4;
  files = calloc(count, sizeof *files);
  lengths = calloc(count, sizeof *lengths);
  for (int i = 0; i < count; i++) {
    FILE* file = fopen(argv[4 + i], "rb");
    if (file == NULL) return 1;
    fseek(file, 0, SEEK_END);
    lengths[i] = ftell(file);
    rewind(file);
    files[i] = malloc(lengths[i]);
    if (fread(files[i], 1, lengths[i], file) != lengths[i]) return 1;
    fclose(file);
  }
  for (int round = 0; round <= rounds; round++) {
    struct timespec from, to;
    pthread_t thread[64];
    next = 0;
    clock_t used = clock();
    total = round == 0 ? count : count * 4;  // the first round warms up
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, work, NULL);
    for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (round > 0) {
      double seconds = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) * 1e-9;
      printf("%.1f %.1f\n", total / seconds, (double)(clock() - used) / CLOCKS_PER_SEC * 1e6 / total);
    }
  }
  return 0;
}
