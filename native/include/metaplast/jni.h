// What the JNI libraries need of the JVM beyond primitives; included by JavaCPP's glue only, not part of the C ABI.
#ifndef METAPLAST_JNI_H_
#define METAPLAST_JNI_H_

#include <jni.h>

// A direct buffer over native memory, which stays whoever's it is; null when the JVM could not make one (an exception is then pending).
static inline jobject metaplast_jni_view(JNIEnv* env, jclass, jlong address, jlong bytes) {
  return env->NewDirectByteBuffer(reinterpret_cast<void*>(address), bytes);
}

// Address of element 0 of a direct buffer, whatever its position; 0 when it is not direct.
static inline jlong metaplast_jni_address(JNIEnv* env, jclass, jobject buffer) {
  return reinterpret_cast<jlong>(env->GetDirectBufferAddress(buffer));
}

#endif  // METAPLAST_JNI_H_
