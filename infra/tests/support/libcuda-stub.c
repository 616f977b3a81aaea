/* Stands in for NVIDIA's driver on a machine without one: whatever is asked of it, there is no device. */
#include <string.h>

enum { SUCCESS = 0, NO_DEVICE = 100, CUDA_13 = 13000 };

static int refuse(void) { return NO_DEVICE; }

int cuInit(unsigned flags) { (void)flags; return NO_DEVICE; }

int cuDriverGetVersion(int *version) { *version = CUDA_13; return SUCCESS; }

int cuGetErrorString(int code, const char **text) { (void)code; *text = "no device"; return SUCCESS; }

int cuGetErrorName(int code, const char **name) { (void)code; *name = "CUDA_ERROR_NO_DEVICE"; return SUCCESS; }

int cuDeviceGetCount(int *count) { *count = 0; return NO_DEVICE; }

int cuTensorMapEncodeTiled(void) { return NO_DEVICE; }

/* The runtime asks for every function by its name, this one among them. */
int cuGetProcAddress_v2(const char *name, void **found, int version, unsigned long long flags, int *status) {
  (void)version;
  (void)flags;
  *found = strcmp(name, "cuInit") == 0               ? (void *)cuInit
           : strcmp(name, "cuDriverGetVersion") == 0 ? (void *)cuDriverGetVersion
           : strcmp(name, "cuGetProcAddress") == 0   ? (void *)cuGetProcAddress_v2
                                                     : (void *)refuse;
  if (status != 0) *status = SUCCESS;
  return SUCCESS;
}

int cuGetProcAddress(const char *name, void **found, int version, unsigned long long flags) {
  return cuGetProcAddress_v2(name, found, version, flags, 0);
}
