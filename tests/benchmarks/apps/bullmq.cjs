// BullMQ on Redis or PostgreSQL: `node bullmq.cjs driver|worker`, speaking driver.py's protocol.
const readline = require("node:readline");
const { Queue, Worker, createPostgresBackend } = require("bullmq");
const Redis = require("ioredis");

const now = () => performance.timeOrigin + performance.now(); // ms
const url = process.env.REDIS_URL;
const onPostgres = process.env.BENCH_BACKEND === "postgres";
const connection = onPostgres
  ? { connectionString: process.env.DATABASE_URL, migrate: true, max: 10 }
  : new Redis(url, { maxRetriesPerRequest: null });
const factory = onPostgres ? [createPostgresBackend] : [];
const marks = new Redis(url);

function work() {
  const handler = () => marks.rpush("bench:started", String(now() / 1000)).then(() => null);
  const options = { connection, concurrency: 4, removeOnComplete: { count: 1000 } };
  const worker = new Worker("bench", handler, options, ...factory);
  worker.on("error", (error) => console.error(error));
}

async function drive() {
  const queue = new Queue("bench", { connection }, ...factory);
  await queue.waitUntilReady();
  const add = () => queue.add("noop", {});
  const orders = {
    each: async (n) => { for (let i = 0; i < n; i++) await add(); },
    many: async (n) => {
      for (let left = n; left > 0; left -= 1000) {
        await queue.addBulk(Array.from({ length: Math.min(left, 1000) }, () => ({ name: "noop", data: {} })));
      }
    },
    latency: async (n) => {
      const ms = [];
      for (let i = 0; i < n; i++) {
        const began = now();
        await add();
        const [, at] = await marks.blpop("bench:started", 10);
        ms.push(Number(at) * 1000 - began);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return ms;
    },
  };
  console.log(JSON.stringify({ ready: true }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { order, n } = JSON.parse(line);
    const began = now();
    const ms = await orders[order](n);
    console.log(JSON.stringify({ seconds: (now() - began) / 1000, ms }));
  }
  process.exit(0);
}

process.argv[2] === "worker" ? work() : drive();
