"""Short passages in many languages, written for the tests: the words of made-up pages.

The two halves share no passage: limits are fitted on `DEV`, and `HELD_OUT` tells how they do on
text that they have not seen.
"""

DEV = {
    "en": "The committee met on Tuesday to review the budget for the coming year. Several members "
    "asked why the quoted prices had risen so quickly, and whether next year's figures could "
    "be fixed in advance. Mr. Keating explained that fuel, wages and insurance all moved together. "
    "A vote was held at 17:45; six were in favour, three against, and the motion was carried.",
    "de": "Die Prüfung der Anlagen beginnt im März und dauert voraussichtlich sechs Wochen. Für "
    "größere Schäden haftet der Betreiber, sofern er sie früh genug hätte erkennen können. Über "
    "jede Störung wird ein Bericht geführt, den zwei Personen unterschreiben müssen.",
    "es": "El río creció durante la noche y por la mañana el puente ya no podía cruzarse. Los "
    "vecinos llevaron mantas, pan y café a quienes habían quedado al otro lado. Según el alcalde, "
    "la reparación costará más de lo previsto y no terminará antes del otoño.",
    "pl": "Wiosną łąki nad rzeką zamieniają się w jezioro, a ptaki wracają wcześniej niż zwykle. "
    "Gospodarze naprawiają płoty, liczą zapasy i czekają, aż ziemia wyschnie. Dzieci uczą się "
    "wtedy rozpoznawać głosy żurawi, czajek i słowików.",
    "tr": "Kütüphane sabah dokuzda açılır ve akşam altıda kapanır. Öğrenciler en çok üst kattaki "
    "büyük salonu sever, çünkü pencereleri göle bakar. Geçen yıl burada düzenlenen sergiye üç "
    "binden fazla kişi gelmişti.",
    "ru": "Поезд отправился точно по расписанию, хотя ночью выпало много снега. В вагоне было "
    "тепло, пассажиры пили чай и смотрели в окно на белые поля. Один из них рассказывал, как "
    "сорок лет назад строил эту дорогу вместе с братом.",
    "el": "Το λιμάνι ξυπνάει νωρίς το καλοκαίρι. Οι ψαράδες γυρίζουν με τις βάρκες γεμάτες, ενώ "
    "στην αγορά ανοίγουν τα πρώτα καφενεία. Κάθε Κυριακή έρχονται άνθρωποι από τα γύρω χωριά "
    "για να πουλήσουν μέλι, ελιές και τυρί.",
    "he": "הספרייה נפתחת בשעה שמונה בבוקר ונסגרת בערב. בקיץ יושבים הקוראים בגינה תחת העצים, "
    "ובחורף הם מתכנסים סביב התנור הגדול. כל שבוע מגיעים ספרים חדשים מן העיר הסמוכה.",
    "zh": "清晨的市场非常热闹，卖菜的人早早地把摊位摆好。老人们一边喝茶，一边谈论天气和收成。"
    "到了中午，太阳照在石板路上，街上的行人渐渐少了。晚上孩子们在河边放风筝，远处传来火车的声音。",
}

HELD_OUT = {
    "en": "Owls hunt by sound as much as by sight. Their faces work like dishes that gather the "
    "faintest rustle, and one ear sits higher than the other, which tells them how far down a "
    "mouse is moving. Even the edges of their feathers are frayed, so the air slips past quietly; "
    "just a few zealous crows or a jay may notice when such a bird leaves its roost at dusk.",
    "fr": "À la fin de l'été, les vergers sentent la pomme mûre et l'herbe coupée. On répare les "
    "échelles, on compte les caisses, et chacun espère que l'orage passera plus loin. Les "
    "cueilleurs arrivent dès l'aube; à midi, ils déjeunent à l'ombre du grand noyer.",
    "it": "La bottega del liutaio è piccola e piena di luce. Sui tavoli ci sono abeti, aceri e "
    "vecchi attrezzi che nessuno fabbrica più. Per finire un violino servono più di duecento ore, "
    "ma la vernice, dice lui, è un segreto che non si può spiegare.",
    "cs": "Řeka tu teče pomalu a v létě bývá plná lidí na loďkách. Starý převozník zná každý "
    "kámen a rád vypráví, jak se kdysi voda dostala až k prahu hospody. Večer slyšíš žáby, "
    "ďábelský smích a někdy i housle.",
    "vi": "Buổi sáng ở làng chài bắt đầu bằng tiếng máy nổ và mùi cà phê. Những người phụ nữ ngồi "
    "vá lưới dưới mái hiên, còn trẻ con chạy theo những chiếc xe chở đá lạnh. Đến chiều, cả bãi "
    "biển lại yên tĩnh như cũ.",
    "uk": "Восени над містом довго висить туман, і ліхтарі горять аж до обіду. Школярі поспішають "
    "вузькими вулицями, а в пекарні вже пахне свіжим хлібом. Ґанок старої бібліотеки щороку "
    "фарбують у той самий зелений колір.",
    "el": "Ο μικρός κήπος πίσω από το σχολείο ανήκει στα παιδιά. Φυτεύουν ντομάτες, βασιλικό και "
    "φασόλια, ποτίζουν με τη σειρά και γράφουν σε ένα τετράδιο πόσο ψήλωσε κάθε φυτό. Τον Ιούνιο "
    "μοιράζονται τη σοδειά.",
    "th": "ตลาดน้ำเปิดตั้งแต่เช้าตรู่ แม่ค้าพายเรือมาขายผลไม้ ดอกไม้ และขนมหวาน "
    "นักท่องเที่ยวเดินข้ามสะพานไม้เก่าแล้วถ่ายรูป พอแดดแรงทุกคนก็กลับบ้าน",
    "ja": "朝の駅は静かで、ホームには数人の客しかいない。やがて一両だけの電車が山の間から"
    "現れ、ゆっくりと止まる。運転手は帽子をとって挨拶し、荷物の多い老人に手を貸した。"
    "春になると線路の両側に菜の花が咲き、遠くの町からも人が見に来る。",
    "ko": "겨울이 오면 마을 사람들은 함께 김치를 담근다. 마당에는 배추가 산처럼 쌓이고, "
    "아이들은 그 사이를 뛰어다닌다. 저녁이 되면 모두 따뜻한 방에 모여 국수를 먹으며 지난 "
    "여름의 이야기를 나눈다.",
}
