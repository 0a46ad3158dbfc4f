"""What made-up documents say in each language: names, places, labels, forms of dates and sums."""

from __future__ import annotations

from dataclasses import dataclass

LABELS = (
    *("invoice", "number", "date", "due", "customer", "description", "quantity", "price"),
    *("amount", "subtotal", "vat", "total", "page", "phone", "email", "first_name", "surname"),
    *("address", "town", "postcode", "country", "born", "signature", "yes", "no", "receipt"),
    *("cash", "card", "change", "thanks", "regards", "dear", "subject", "table", "figure"),
    *("chapter", "form", "iban", "order", "notes", "cashier", "year", "name", "code", "share"),
)
"""The order of `Locale.labels`."""


@dataclass(frozen=True, kw_only=True)
class Locale:
    """One language's conventions; lists are separated by commas, labels by bars."""

    labels: str
    firsts: str
    surnames: str
    towns: str
    streets: str
    """`{}` stands for the house number."""
    months: str
    firms: str
    goods: str
    country: str
    dates: str
    """Forms, separated by bars; M is the month's name."""
    decimal: str = ","
    group: str = "."
    money: str = "# €"
    """`#` is the sum."""
    postcode: str = "#####"
    phone: str = "0## ### ## ##"
    vat: tuple[int, ...] = (7, 19)

    def label(self, name: str) -> str:
        """A label, such as `total`."""
        return self.labels.split("|")[LABELS.index(name)]


LOCALES = {
    "en": Locale(
        labels="Invoice|No.|Date|Due date|Customer|Description|Qty|Price|Amount|Subtotal|VAT|"
        "Total|Page|Phone|E-mail|First name|Surname|Address|Town|Postcode|Country|"
        "Date of birth|Signature|Yes|No|Receipt|Cash|Card|Change|"
        "Thank you for your visit!|Yours sincerely,|Dear|Re:|Table|Figure|Chapter|"
        "Application form|IBAN|Order|Notes|Cashier|Year|Name|Code|Share",
        firsts="James,Mary,Robert,Patricia,John,Jennifer,Amara,Linda,David,Elizabeth,Oluwaseun,"
        "Susan,Joseph,Jessica,Thomas,Sarah,Priya,Karen,Daniel,Nancy,Wei,Margaret,Anthony,"
        "Fatima",
        surnames="Smith,Johnson,Williams,Brown,Jones,Garcia,Miller,Davis,Okonkwo,Wilson,Anderson,"
        "Taylor,Thomas,O'Brien,Jackson,Martin,Lee,Thompson,White,Patel,Clark,McDonald,"
        "Walker,Young",
        towns="Bristol,Leeds,York,Springfield,Norwich,Oxford,Dunedin,Portland,Salem,Cardiff,"
        "Inverness,Bath,Exeter,Halifax,Perth,Cork",
        streets="{} High Street,{} Station Road,{} Church Lane,{} Mill Road,{} Park Avenue,"
        "{} Victoria Street,Flat 3 {} Queen's Road,{} Elm Close,{} King Street,"
        "{} Oak Drive",
        months="January,February,March,April,May,June,July,August,September,October,November,"
        "December",
        firms="Hartley & Sons Ltd,Northgate Supplies,Blue Anchor Trading Co.,"
        "Quill Office Group,Westfield Engineering Ltd,Mayfair Catering,"
        "Orchard Farm Foods,Delta Print Services",
        goods="Milk 2 pt,Brown bread,Free range eggs,Cheddar 400 g,Apples loose,Copy paper A4,"
        "Printer toner black,Desk lamp,USB cable 2 m,Labour per hour,Delivery charge,"
        "Oak shelf,Coffee beans 1 kg,Tea bags 80,Orange juice,Steel bolts M8,"
        "Wall paint white 5 l,Batteries AA,Notebook ruled,Envelopes C5,Chicken salad,"
        "Soup of the day,Parking 2 h,Gloves size L",
        country="United Kingdom",
        dates="{dd}/{mm}/{y}|{d} {M} {y}|{M} {d}, {y}|{y}-{mm}-{dd}|{dd}/{mm}/{yy}|{d}-{mm}-{y}",
        decimal=".",
        group=",",
        money="£#",
        postcode="@@## #@@",
        phone="0#### ######",
        vat=(5, 20),
    ),
    "de": Locale(
        labels="Rechnung|Nr.|Datum|Fällig am|Kunde|Bezeichnung|Menge|Preis|Betrag|Zwischensumme|"
        "MwSt.|Gesamt|Seite|Telefon|E-Mail|Vorname|Nachname|Anschrift|Ort|PLZ|Land|"
        "Geburtsdatum|Unterschrift|Ja|Nein|Kassenbon|Bar|Karte|Rückgeld|"
        "Vielen Dank für Ihren Einkauf!|Mit freundlichen Grüßen|Sehr geehrte Frau|"
        "Betreff:|Tabelle|Abbildung|Kapitel|Antragsformular|IBAN|Bestellung|Hinweise|"
        "Es bediente Sie|Jahr|Name|Code|Anteil",
        firsts="Anna,Jürgen,Sabine,Thomas,Ursula,Stefan,Käthe,Michael,Renate,Björn,Monika,"
        "Andreas,Petra,Günther,Claudia,Markus,Birgit,Matthias,Heike,Jörg",
        surnames="Müller,Schmidt,Schneider,Fischer,Weber,Meyer,Wagner,Becker,Schulz,Hoffmann,"
        "Schäfer,Koch,Bauer,Richter,Klein,Wolf,Schröder,Neumann,Schwarz,Krüger,Weiß,Groß",
        towns="Köln,München,Leipzig,Nürnberg,Göttingen,Lübeck,Mainz,Dresden,Saarbrücken,"
        "Würzburg,Bremen,Gießen,Ulm,Jena",
        streets="Hauptstraße {},Bahnhofstr. {},Gartenweg {},Schillerstraße {},Am Mühlbach {},"
        "Lindenallee {},Marktplatz {},Goethestraße {},Birkenweg {},Kirchgasse {}",
        months="Januar,Februar,März,April,Mai,Juni,Juli,August,September,Oktober,November,Dezember",
        firms="Bäckerei Krämer GmbH,Weber & Söhne KG,Nordlicht Handels GmbH,Bürobedarf Schütz,"
        "Autohaus Vogel,Gärtnerei Grünwald,Elektro Huber e. K.,Stadtwerke Süd",
        goods="Vollmilch 3.5 %,Bauernbrot 750 g,Eier Gr. M,Käse am Stück,Äpfel lose,"
        "Kopierpapier A4,Toner schwarz,Schreibtischlampe,Arbeitsstunde,Versandkosten,"
        "Kaffee gemahlen 500 g,Mineralwasser,Schrauben M6x40,Wandfarbe weiß 10 l,"
        "Batterien AA,Briefumschläge C6,Tagessuppe,Schnitzel mit Pommes,Parkschein,"
        "Handschuhe Gr. 9",
        country="Deutschland",
        dates="{dd}.{mm}.{y}|{d}. {M} {y}|{dd}.{mm}.{yy}|{d}.{m}.{y}|{y}-{mm}-{dd}",
        phone="0#### / ######",
    ),
    "fr": Locale(
        labels="Facture|N°|Date|Échéance|Client|Désignation|Qté|Prix|Montant|Sous-total|TVA|"
        "Total|Page|Téléphone|Courriel|Prénom|Nom|Adresse|Ville|Code postal|Pays|"
        "Date de naissance|Signature|Oui|Non|Ticket de caisse|Espèces|Carte|Rendu|"
        "Merci de votre visite !|Cordialement,|Chère Madame|Objet :|Tableau|Figure|"
        "Chapitre|Formulaire de demande|IBAN|Commande|Remarques|Caissier|Année|Nom|Code|"
        "Part",
        firsts="Marie,Jean,Françoise,Pierre,Hélène,Michel,Zoé,François,Chloé,Rémi,Noémie,"
        "Nicolas,Inès,Jérôme,Céline,Aurélie,Benoît,Loïc,Amélie,Gaël",
        surnames="Martin,Bernard,Dubois,Thomas,Lefèvre,Moreau,Laurent,Lefebvre,Girard,Roux,"
        "Fournier,Mercier,Dupont,Faure,André,Gauthier,Perrin,Clément,Besançon,Noël",
        towns="Lyon,Nîmes,Besançon,Orléans,Saint-Étienne,Angers,Béziers,Rouen,Liège,Genève,"
        "Évry,Nancy",
        streets="{} rue de la République,{} avenue Foch,{} place de l'Église,{} bd Voltaire,"
        "{} chemin des Prés,{} impasse des Lilas,{} quai Sud,{} bis rue Hugo",
        months="janvier,février,mars,avril,mai,juin,juillet,août,septembre,octobre,novembre,"
        "décembre",
        firms="Fournitures Garnier SARL,Boulangerie Au Blé d'Or,Société Générale d'Électricité,"
        "Établissements Léger,Garage du Pré,Librairie Voltaire,Pâtisserie Noël",
        goods="Lait demi-écrémé 1 l,Baguette,Œufs plein air,Fromage de chèvre,Pommes en vrac,"
        "Papier A4,Cartouche d'encre,Lampe de bureau,Main-d'œuvre,Frais de port,"
        "Café moulu 250 g,Eau minérale,Vis à bois 4x40,Peinture blanche,Piles AA,"
        "Enveloppes,Plat du jour,Crème brûlée,Stationnement 2 h,Gants taille 8",
        country="France",
        dates="{dd}/{mm}/{y}|{d} {M} {y}|{dd}.{mm}.{y}|{dd}/{mm}/{yy}",
        group=" ",
        phone="0# ## ## ## ##",
        vat=(10, 20),
    ),
    "es": Locale(
        labels="Factura|N.º|Fecha|Vencimiento|Cliente|Descripción|Cant.|Precio|Importe|"
        "Base imponible|IVA|Total|Página|Teléfono|Correo|Nombre|Apellidos|Dirección|"
        "Población|C.P.|País|Fecha de nacimiento|Firma|Sí|No|Recibo|Efectivo|Tarjeta|"
        "Cambio|¡Gracias por su compra!|Atentamente,|Estimada Sra.|Asunto:|Tabla|Figura|"
        "Capítulo|Solicitud|IBAN|Pedido|Observaciones|Atendido por|Año|Nombre|Código|"
        "Cuota",
        firsts="María,José,Carmen,Ángel,Lucía,Jesús,Sofía,Andrés,Begoña,Martín,Inés,Raúl,Núria,"
        "Iñaki,Pilar,Héctor,Mónica,Óscar",
        surnames="García,Fernández,González,Rodríguez,López,Martínez,Sánchez,Pérez,Gómez,Muñoz,"
        "Díaz,Álvarez,Romero,Núñez,Ibáñez,Peña,Cortés,Vázquez",
        towns="Sevilla,Cádiz,Málaga,León,Córdoba,La Coruña,Gijón,Ávila,Bogotá,Logroño,Almería,"
        "Cáceres",
        streets="Calle Mayor {},Avda. de la Constitución {},Plaza de España {},"
        "C/ Alcalá {} 2.º B,Paseo del Río {},Camino Viejo {},Ronda Norte {}",
        months="enero,febrero,marzo,abril,mayo,junio,julio,agosto,septiembre,octubre,noviembre,"
        "diciembre",
        firms="Suministros Peña S.L.,Panadería La Espiga,Talleres Ibáñez,Papelería Núñez S.A.,"
        "Electricidad Muñoz,Frutas y Verduras Cañete",
        goods="Leche entera 1 l,Pan de molde,Huevos camperos,Queso curado,Manzanas,Papel A4,"
        "Tóner negro,Lámpara de mesa,Mano de obra,Gastos de envío,Café molido,"
        "Agua mineral,Tornillos M6,Pintura blanca,Pilas AA,Sobres,Menú del día,"
        "Jamón ibérico,Aparcamiento 2 h,Piña natural",
        country="España",
        dates="{dd}/{mm}/{y}|{d} de {M} de {y}|{dd}-{mm}-{y}|{d}/{m}/{yy}",
        phone="### ## ## ##",
        vat=(10, 21),
    ),
    "it": Locale(
        labels="Fattura|N.|Data|Scadenza|Cliente|Descrizione|Q.tà|Prezzo|Importo|Imponibile|IVA|"
        "Totale|Pagina|Telefono|E-mail|Nome|Cognome|Indirizzo|Città|CAP|Paese|"
        "Data di nascita|Firma|Sì|No|Scontrino|Contanti|Carta|Resto|"
        "Grazie e arrivederci!|Cordiali saluti,|Gentile Signora|Oggetto:|Tabella|Figura|"
        "Capitolo|Modulo di richiesta|IBAN|Ordine|Note|Cassiere|Anno|Nome|Codice|Quota",
        firsts="Giulia,Marco,Francesca,Luca,Chiara,Andrea,Niccolò,Sara,Matteo,Elena,Davide,"
        "Martina,Alessandro,Valentina,Paolo,Ilaria",
        surnames="Rossi,Russo,Ferrari,Esposito,Bianchi,Romano,Colombo,Ricci,Marino,Greco,Bruno,"
        "Gallo,Conti,De Luca,Costa,Giordano,D'Angelo,Lo Presti",
        towns="Torino,Forlì,Cefalù,Bologna,Genova,Mantova,Lecce,Siena,Trento,Cantù,Udine,Pisa",
        streets="Via Roma {},Corso Garibaldi {},Piazza del Duomo {},Via G. Verdi {}/A,"
        "Viale Europa {},Vicolo Stretto {},Largo Umberto I {}",
        months="gennaio,febbraio,marzo,aprile,maggio,giugno,luglio,agosto,settembre,ottobre,"
        "novembre,dicembre",
        firms="Ferramenta Colombo S.r.l.,Panificio Bianchi,Officina Meccanica Greco,"
        "Cartoleria L'Angolo,Elettroforniture S.p.A.,Trattoria da Gino",
        goods="Latte intero 1 l,Pane casereccio,Uova fresche,Parmigiano 300 g,Mele sfuse,"
        "Carta A4,Toner nero,Lampada da tavolo,Manodopera,Spese di spedizione,"
        "Caffè macinato,Acqua naturale,Viti M6,Pittura bianca,Pile AA,Buste,Menù fisso,"
        "Tiramisù,Parcheggio 2 h,Olio d'oliva",
        country="Italia",
        dates="{dd}/{mm}/{y}|{d} {M} {y}|{dd}-{mm}-{y}|{dd}.{mm}.{yy}",
        phone="0## #######",
        vat=(10, 22),
    ),
    "pt": Locale(
        labels="Fatura|N.º|Data|Vencimento|Cliente|Descrição|Qtd.|Preço|Valor|Subtotal|IVA|"
        "Total|Página|Telefone|E-mail|Nome próprio|Apelido|Morada|Localidade|"
        "Código postal|País|Data de nascimento|Assinatura|Sim|Não|Recibo|Dinheiro|Cartão|"
        "Troco|Obrigado pela preferência!|Com os melhores cumprimentos,|Exma. Senhora|"
        "Assunto:|Tabela|Figura|Capítulo|Formulário de inscrição|IBAN|Encomenda|"
        "Observações|Operador|Ano|Nome|Código|Quota",
        firsts="João,Inês,António,Conceição,José,Catarina,Tomás,Sofia,Luís,Mariana,Estêvão,"
        "Beatriz,Gonçalo,Lurdes,Simão,Fátima",
        surnames="Silva,Santos,Ferreira,Pereira,Gonçalves,Araújo,Simões,Lourenço,Guimarães,"
        "Magalhães,Brandão,Conceição,Falcão,Leitão,Neves,Sá",
        towns="Lisboa,Évora,Guimarães,Setúbal,Bragança,Viseu,São Paulo,Covilhã,Faro,Santarém,Braga",
        streets="Rua da Conceição n.º {},Avenida da Liberdade {},Praça do Comércio {},"
        "Travessa São João {},Largo da Estação {},Rua 25 de Abril {}",
        months="janeiro,fevereiro,março,abril,maio,junho,julho,agosto,setembro,outubro,novembro,"
        "dezembro",
        firms="Papelaria Simões Lda.,Padaria São Bento,Oficina Irmãos Araújo,"
        "Construções Brandão S.A.,Café Central,Electricidade do Sul",
        goods="Leite meio-gordo,Pão de centeio,Ovos classe M,Queijo da Serra,Maçãs,Papel A4,"
        "Toner preto,Candeeiro,Mão-de-obra,Portes de envio,Café moído,Água sem gás,"
        "Parafusos M6,Tinta branca,Pilhas AA,Envelopes,Prato do dia,Pastel de nata,"
        "Estacionamento 2 h,Feijão",
        country="Portugal",
        dates="{dd}/{mm}/{y}|{d} de {M} de {y}|{dd}-{mm}-{y}|{y}-{mm}-{dd}",
        postcode="####-###",
        phone="2## ### ###",
        vat=(6, 23),
    ),
    "nl": Locale(
        labels="Factuur|Nr.|Datum|Vervaldatum|Klant|Omschrijving|Aantal|Prijs|Bedrag|Subtotaal|"
        "btw|Totaal|Pagina|Telefoon|E-mail|Voornaam|Achternaam|Adres|Plaats|Postcode|"
        "Land|Geboortedatum|Handtekening|Ja|Nee|Kassabon|Contant|Pinnen|Wisselgeld|"
        "Bedankt en tot ziens!|Met vriendelijke groet,|Geachte mevrouw|Betreft:|Tabel|"
        "Figuur|Hoofdstuk|Aanvraagformulier|IBAN|Bestelling|Opmerkingen|"
        "U bent geholpen door|Jaar|Naam|Code|Aandeel",
        firsts="Jan,Anneke,Pieter,Maaike,Kees,Femke,Joost,Sanne,Willem,Loes,Thijs,Marijke,"
        "Daniël,Zoë",
        surnames="de Vries,Jansen,van den Berg,Bakker,Visser,Smit,Meijer,de Boer,Mulder,van Dijk,"
        "Bos,Vermeulen,Hoekstra,ten Cate,Dijkstra",
        towns="Utrecht,Groningen,'s-Hertogenbosch,Leiden,Haarlem,Zwolle,Gent,Delft,Nijmegen,"
        "IJmuiden",
        streets="Kerkstraat {},Dorpsweg {},Prinsengracht {},Stationsplein {},Molenlaan {}-II,"
        "Wilhelminastraat {},Nieuwe Gracht {}",
        months="januari,februari,maart,april,mei,juni,juli,augustus,september,oktober,november,"
        "december",
        firms="Bakkerij 't Hoekje,Jansen & Zn. B.V.,Installatiebedrijf Dijkstra,"
        "Kantoorhuis Leiden,Tuincentrum De Linde,Garage Van Dijk",
        goods="Halfvolle melk 1 l,Volkorenbrood,Scharreleieren,Jonge kaas 500 g,Appels los,"
        "Papier A4,Toner zwart,Bureaulamp,Arbeidsuur,Verzendkosten,Koffie gemalen,"
        "Bronwater,Schroeven M6,Muurverf wit,Batterijen AA,Enveloppen,Dagmenu,"
        "Stroopwafels,Parkeren 2 uur,Drop",
        country="Nederland",
        dates="{dd}-{mm}-{y}|{d} {M} {y}|{dd}/{mm}/{y}|{d}-{m}-{yy}",
        money="€ #",
        postcode="#### @@",
        phone="0##-#######",
        vat=(9, 21),
    ),
    "pl": Locale(
        labels="Faktura|Nr|Data|Termin płatności|Nabywca|Nazwa towaru|Ilość|Cena|Wartość|"
        "Razem netto|VAT|Do zapłaty|Strona|Telefon|E-mail|Imię|Nazwisko|Adres|"
        "Miejscowość|Kod pocztowy|Kraj|Data urodzenia|Podpis|Tak|Nie|Paragon fiskalny|"
        "Gotówka|Karta|Reszta|Dziękujemy za zakupy!|Z poważaniem,|Szanowna Pani|Dotyczy:|"
        "Tabela|Rysunek|Rozdział|Wniosek|IBAN|Zamówienie|Uwagi|Kasjer|Rok|Nazwa|Kod|"
        "Udział",
        firsts="Anna,Piotr,Małgorzata,Krzysztof,Agnieszka,Łukasz,Żaneta,Paweł,Zofia,Michał,"
        "Grażyna,Stanisław,Elżbieta,Józef",
        surnames="Nowak,Kowalska,Wiśniewski,Wójcik,Kowalczyk,Kamińska,Lewandowski,Zieliński,"
        "Szymańska,Woźniak,Dąbrowski,Kozłowska,Jabłoński,Król,Wieczorek,Gołąb",
        towns="Kraków,Łódź,Gdańsk,Wrocław,Poznań,Białystok,Rzeszów,Toruń,Częstochowa,Zielona Góra",
        streets="ul. Długa {},ul. Żeromskiego {}/4,al. Niepodległości {},pl. Wolności {},"
        "ul. Ogrodowa {},os. Słoneczne {},ul. Świętokrzyska {}",
        months="stycznia,lutego,marca,kwietnia,maja,czerwca,lipca,sierpnia,września,"
        "października,listopada,grudnia",
        firms="Piekarnia Pod Dębem,Hurtownia Żak Sp. z o.o.,Zakład Ślusarski Wójcik,"
        "Drukarnia Błękit,Księgarnia Źródło,Usługi Budowlane Król",
        goods="Mleko 2 % 1 l,Chleb żytni,Jaja kl. M,Ser żółty,Jabłka,Papier A4,Toner czarny,"
        "Lampka biurkowa,Robocizna,Koszt wysyłki,Kawa mielona,Woda źródlana,Śruby M6,"
        "Farba biała,Baterie AA,Koperty,Zestaw dnia,Pączek z różą,Parking 2 h,"
        "Łosoś wędzony",
        country="Polska",
        dates="{dd}.{mm}.{y}|{d} {M} {y} r.|{y}-{mm}-{dd}|{dd}-{mm}-{y}",
        group=" ",
        money="# zł",
        postcode="##-###",
        phone="## ### ## ##",
        vat=(8, 23),
    ),
}
"""By language; made-up documents are in one of these."""
