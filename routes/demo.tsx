import { Head } from "fresh/runtime";
import { handler, page } from "./$demo.ts";
import { dashboard } from "../domain/dashboard.ts";
import { Pot } from "../widget/demo/pot.tsx";
import { type Piece, PIECES } from "../widget/demo/shop.ts";
import "../widget/demo/demo.css";

export const handlers = handler({
  GET: async () => ({ data: { widgetKey: await dashboard().demoWidgetKey() } }),
});

function Masthead() {
  return (
    <header class="masthead">
      <a class="brand" href="/demo">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M11 5h10v3c5 2 8 6 8 11 0 6-4 9-8 9H11c-4 0-8-3-8-9 0-5 3-9 8-11Z" />
        </svg>
        Northwind Ceramics
      </a>
      <nav aria-label="Shop">
        <a href="#shop">Shop</a>
        <a href="#studio">Studio</a>
        <a href="#delivery">Delivery</a>
      </nav>
    </header>
  );
}

function Card({ piece }: { piece: Piece }) {
  return (
    <li class="card" id={piece.id}>
      <a class="stage" href={`#${piece.id}`} aria-label={piece.name}>
        <Pot shape={piece.shape} glaze={piece.glaze} clay={piece.clay} id={`card-${piece.id}`} />
      </a>
      <div class="label">
        <h3>{piece.name}</h3>
        <p class="price">{piece.price}</p>
      </div>
      <p>{piece.about}</p>
      {piece.stock && <p class="stock">{piece.stock}</p>}
    </li>
  );
}

export default page(({ data }) => (
  <div class="northwind">
    <Head>
      <title>Northwind Ceramics – stoneware from the coast</title>
      <meta name="description" content="A shop that shows the Parley chat at work." />
      <meta name="robots" content="noindex" />
      <meta name="color-scheme" content="light dark" />
    </Head>
    <a class="skip" href="#main">To the content</a>
    <aside class="demo-note" aria-label="About this page">
      <span>
        {data.widgetKey === null
          ? "A demonstration of Parley. No widget is switched on, so there is no chat here yet."
          : "A demonstration of Parley: write in the chat here, and answer in the inbox."}
      </span>
      <a href="/">Open the inbox</a>
    </aside>
    <Masthead />
    <main id="main">
      <section class="hero">
        <div>
          <h1>Pots for the table, not the shelf.</h1>
          <p>
            Stoneware thrown by four people in a boathouse on the Northumberland coast. Each piece
            is glazed with ash from our own kiln, so no two are quite alike.
          </p>
          <p class="actions">
            <a class="button" href="#shop">See this firing</a>
            <button type="button" class="quiet" data-ask hidden>Ask a potter</button>
          </p>
        </div>
        <div class="still" aria-hidden="true">
          <Pot shape="vase" glaze="#5d7b5a" clay="#b98a63" id="hero-vase" />
          <Pot shape="jar" glaze="#e9e4d8" clay="#b98a63" id="hero-jar" />
          <Pot shape="mug" glaze="#c8654a" clay="#8b5e43" id="hero-mug" />
        </div>
      </section>

      <section id="shop" aria-labelledby="shop-title">
        <h2 id="shop-title">The November firing</h2>
        <ul class="grid">{PIECES.map((piece) => <Card key={piece.id} piece={piece} />)}</ul>
      </section>

      <section id="studio" class="studio" aria-labelledby="studio-title">
        <h2 id="studio-title">The studio</h2>
        <p>
          We fire twice a month, with larch from the estate next door. The kiln takes nine hours to
          reach 1,280 °C and two days to let us look inside. Visitors are welcome on Saturdays; the
          kettle is on from ten.
        </p>
        <dl>
          <div>
            <dt>Since</dt>
            <dd>2009</dd>
          </div>
          <div>
            <dt>Potters</dt>
            <dd>4</dd>
          </div>
          <div>
            <dt>Pieces a year</dt>
            <dd>2,600</dd>
          </div>
        </dl>
      </section>

      <section id="delivery" class="facts" aria-labelledby="delivery-title">
        <h2 id="delivery-title">Delivery and returns</h2>
        <ul>
          <li>
            <h3>Packed in wool</h3>
            <p>Sent the next working day. Free in Britain above £80, elsewhere at cost.</p>
          </li>
          <li>
            <h3>Broken on the way?</h3>
            <p>Write to us with a picture and we send another. You keep the pieces.</p>
          </li>
          <li>
            <h3>Thirty days</h3>
            <p>Cook with it, drink from it. If it is not right, send it back.</p>
          </li>
        </ul>
      </section>
    </main>
    <footer>
      <p>Northwind Ceramics is made up. The chat is real.</p>
      <a href="/">Parley inbox</a>
    </footer>
    {data.widgetKey !== null && (
      <>
        <script src="/demo/demo.js" defer />
        <script src="/widget.js" data-widget-key={data.widgetKey} async />
      </>
    )}
  </div>
));
