// Allocates as Java programs do: objects for the collector, and, through the
// C library, thread stacks, compressors and buffers outside the heap.

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

public class Allocate {
  static long objects(long seed) {
    Random random = new Random(seed);
    Map<Integer, String> table = new HashMap<>();
    for (int i = 0; i < 300000; ++i) {
      table.put(random.nextInt(20000), "value" + i + "x".repeat(i % 50));
    }
    return table.values().stream().mapToLong(String::hashCode).sum();
  }

  static long outsideTheHeap(long seed) throws Exception {
    Random random = new Random(seed);
    CRC32 sum = new CRC32();
    List<ByteBuffer> buffers = new ArrayList<>();
    for (int i = 0; i < 200; ++i) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(1 + random.nextInt(100000));
      while (buffer.hasRemaining()) buffer.put((byte) (buffer.position() % 17));
      buffer.flip();
      buffers.add(buffer);
      if (buffers.size() > 20) buffers.remove(random.nextInt(20));
    }
    for (ByteBuffer buffer : buffers) sum.update(buffer);

    byte[] text = new byte[200000];
    for (int i = 0; i < text.length; ++i) text[i] = (byte) random.nextInt(20);
    for (int i = 0; i < 30; ++i) {
      Deflater deflater = new Deflater(1 + i % 9);
      deflater.setInput(text);
      deflater.finish();
      byte[] small = new byte[text.length * 2];
      int length = deflater.deflate(small);
      deflater.end();
      Inflater inflater = new Inflater();
      inflater.setInput(small, 0, length);
      byte[] again = new byte[text.length];
      if (inflater.inflate(again) != text.length) throw new Exception("inflate");
      inflater.end();
      sum.update(again);
    }
    return sum.getValue();
  }

  public static void main(String[] arguments) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<Long>> results = new ArrayList<>();
    for (long task = 0; task < 16; ++task) {
      long seed = task;
      results.add(pool.submit(() -> seed % 2 == 0 ? objects(seed) : outsideTheHeap(seed)));
    }
    for (Future<Long> result : results) System.out.println(result.get());
    pool.shutdown();
    for (int i = 0; i < 500; ++i) {
      Thread thread = new Thread(() -> {});
      thread.start();
      thread.join();
    }
    System.out.println("threads done");
  }
}
